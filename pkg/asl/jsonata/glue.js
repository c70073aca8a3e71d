// Step Functions' layer over jsonata 2.0.6: whole-string expressions in JSON templates, the
// functions that Step Functions adds, and the facts that the linter needs. Host functions
// (__hash, __uuid, __random) come from Go.
(function (root) {
  'use strict';
  const MAX_CACHE = 4096, MAX_FILL = 1 << 18; // AWS lets $pad add so many characters
  const expressions = new Map(), templates = new Map();

  function remember(cache, key, make) {
    let v = cache.get(key);
    if (v === undefined) {
      if (cache.size >= MAX_CACHE) cache.clear();
      v = make(key);
      cache.set(key, v);
    }
    return v;
  }

  // Buffer is what jsonata's base64 functions look for outside a browser.
  function from(text, encoding) { this.text = text; this.encoding = encoding; }
  from.prototype.toString = function (encoding) {
    return encoding === 'base64' ? __btoa(this.text) : __atob(this.text);
  };
  root.Buffer = { from };

  // sequence marks an array as a JSONata sequence: one element stands for itself, none for nothing.
  function sequence(items) {
    Object.defineProperty(items, 'sequence', { enumerable: false, value: true });
    return items;
  }

  // Texts are put together in native code, where the limits of time and memory cannot reach: no text may
  // become longer than this in one step.
  const MAX_TEXT = 1 << 25, concat = String.prototype.concat, join = Array.prototype.join;
  function bounded(length) {
    if (length > MAX_TEXT) fail('A text must not become longer than ' + MAX_TEXT + ' characters');
  }
  String.prototype.concat = function (other) {
    bounded(this.length + String(other).length);
    return concat.call(this, other);
  };
  Array.prototype.join = function (separator) {
    let length = this.length * (separator === undefined ? 1 : String(separator).length);
    for (let i = 0; i < this.length; i++) if (typeof this[i] === 'string') length += this[i].length;
    bounded(length);
    return join.call(this, separator);
  };

  function fail(message) { throw { code: 'D3141', message }; }

  function partition(array, size) {
    if (!Number.isInteger(size) || size < 1) fail('Second argument of the partition function must be a positive integer');
    const out = [];
    for (let i = 0; i < array.length; i += size) out.push(array.slice(i, i + size));
    return out;
  }

  function range(start, end, step) {
    if (step === 0) fail('Third argument of the range function must not be zero');
    const count = Math.floor((end - start) / step) + 1;
    if (count > 1e7) throw { code: 'D2014', message: 'The size of the sequence allocated by the range function must not exceed 1e7' };
    const out = [];
    for (let i = 0; i < count; i++) out.push(start + i * step);
    return sequence(out);
  }

  function parse(text) {
    try { return JSON.parse(text); } catch (e) { fail('The argument of the parse function is not valid JSON: ' + text); }
  }

  // mulberry32: small, seeded, good enough where AWS publishes no algorithm.
  function seeded(seed) {
    let t = (Math.floor(seed) + 0x6D2B79F5) | 0;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  function pad(text, width, char) {
    if (text === undefined) return undefined;
    char = char === undefined || char === '' ? ' ' : char;
    const have = /[\ud800-\udfff]/.test(text) ? Array.from(text).length : text.length, missing = Math.abs(width) - have;
    if (missing <= 0) return text;
    if (missing > MAX_FILL) throw { memory: true };
    const symbols = Array.from(char), whole = Math.floor(missing / symbols.length);
    const fill = char.repeat(whole) + symbols.slice(0, missing - whole * symbols.length).join('');
    return width > 0 ? text + fill : fill + text;
  }

  function compile(source) {
    const e = jsonata(source);
    e.registerFunction('partition', partition, '<a-n:a>');
    e.registerFunction('range', range, '<nnn:a>');
    e.registerFunction('hash', function (text, algorithm) {
      const digest = __hash(text, algorithm === undefined ? 'SHA-1' : algorithm);
      if (digest === null) fail('Unknown hash algorithm: ' + algorithm);
      return digest;
    }, '<s-s?:s>');
    e.registerFunction('random', function (seed) { return seed === undefined ? __random() : seeded(seed); }, '<n?:n>');
    e.registerFunction('uuid', function () { return __uuid(); }, '<:s>');
    e.registerFunction('parse', parse, '<s-:x>');
    e.registerFunction('pad', pad, '<s-ns?:s>');
    return e;
  }

  function sourceOf(text) { return text.slice(2, -2).trim(); }

  function isExpression(text) { return text.length >= 4 && text.startsWith('{%') && text.endsWith('%}'); }

  function typed(value) {
    const seen = JSON.stringify(value, function (key, v) {
      if (typeof v === 'function' || (v && (v._jsonata_function || v._jsonata_lambda))) throw { unsupported: true };
      return v;
    });
    if (seen === undefined) throw { unsupported: true };
    return seen;
  }

  async function evaluate(source, location, bindings) {
    let value;
    try {
      const e = remember(expressions, source, compile);
      value = await e.evaluate(undefined, Object.assign({ eval: undefined }, bindings));
    } catch (err) {
      if (err.memory) throw { kind: 'memory', source, location };
      throw { kind: 'thrown', source, location, code: err.code || '', message: err.message || String(err) };
    }
    if (value === undefined) throw { kind: 'undefined', source, location };
    try { return JSON.parse(typed(value)); } catch (err) { throw { kind: 'unsupported', source, location }; }
  }

  async function fill(node, location, bindings) {
    if (typeof node === 'string') return isExpression(node) ? evaluate(sourceOf(node), location, bindings) : node;
    if (node === null || typeof node !== 'object') return node;
    if (Array.isArray(node)) {
      const out = [];
      for (let i = 0; i < node.length; i++) out.push(await fill(node[i], location + '[' + i + ']', bindings));
      return out;
    }
    const out = {};
    for (const key of Object.keys(node)) {
      Object.defineProperty(out, key, {
        value: await fill(node[key], location === '' ? key : location + '/' + key, bindings),
        enumerable: true, writable: true, configurable: true,
      });
    }
    return out;
  }

  // render fills a template; all arguments and the answer are JSON texts.
  root.__render = async function (template, location, bindings) {
    try {
      const node = remember(templates, template, JSON.parse);
      return JSON.stringify({ value: await fill(node, location, JSON.parse(bindings)) });
    } catch (err) {
      return JSON.stringify({ error: err });
    }
  };

  // timebox is the official test suite's own limit, made with the hooks that jsonata has for it.
  function timebox(expression, depth) {
    let level = 0;
    function step(by) {
      return function (e, input, env) {
        if (env.isParallelCall) return;
        level += by;
        if (level > depth) throw { code: 'U1001', message: 'Stack overflow error' };
        if (__late()) throw { code: 'U1001', message: 'Expression evaluation timeout' };
      };
    }
    expression.assign(Symbol.for('jsonata.__evaluate_entry'), step(1));
    expression.assign(Symbol.for('jsonata.__evaluate_exit'), step(-1));
  }

  // evaluate one expression with an input; for the official test suite.
  root.__evaluate = async function (source, input, bindings, depth) {
    try {
      const e = compile(source);
      if (depth > 0) timebox(e, depth);
      const data = input === '' ? undefined : JSON.parse(input);
      const value = await e.evaluate(data, Object.assign({ eval: undefined }, JSON.parse(bindings)));
      return JSON.stringify({ value });
    } catch (err) {
      return JSON.stringify({ error: { code: err.code || '', message: err.message || String(err) } });
    }
  };

  // tree writes an expression's syntax tree down, for those that Go can answer itself.
  root.__tree = function (source) {
    try { return JSON.stringify(remember(expressions, source, compile).ast()); } catch (e) { return ''; }
  };
  root.__compile = compile;
})(this);
