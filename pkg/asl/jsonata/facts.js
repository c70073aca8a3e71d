// What an expression refers to, for the linter.
(function (root) {
  'use strict';

  // walk visits every node of a jsonata syntax tree, keeping the names bound by := and function parameters.
  function walk(node, scope, depth, facts) {
    if (Array.isArray(node)) { node.forEach((n) => walk(n, scope, depth, facts)); return; }
    if (node === null || typeof node !== 'object') return;
    const visit = visitors[node.type];
    if (visit) visit(node, scope, depth, facts);
    else children(node, scope, depth, facts);
  }

  function children(node, scope, depth, facts) {
    for (const key of Object.keys(node)) {
      if (key === 'ancestor' || key === 'seekingParent' || key === 'slot') continue;
      walk(node[key], scope, depth, facts);
    }
  }

  function reference(name, path, scope, depth, facts) {
    if (name === '') { if (depth === 0) facts.context = true; return; }
    if (name === '$') { facts.root = true; return; }
    if (scope.has(name)) return;
    if (name === 'states') facts.states.push(path);
    else facts.variables.push(name);
  }

  // focused adds the variables that the steps of a path bind with @ and #.
  function focused(node, outer) {
    const scope = new Set(outer);
    for (const step of node.steps) {
      if (step.focus) scope.add(step.focus);
      if (step.index) scope.add(step.index);
      (step.stages || []).forEach((s) => { if (s.type === 'index') scope.add(s.value); });
    }
    return scope;
  }

  function steps(node) {
    const out = [];
    for (const step of node.steps.slice(1)) {
      if (step.type !== 'name') break;
      out.push(step.value);
      if (step.predicate || step.stages) break;
    }
    return out;
  }

  const visitors = {
    variable(node, scope, depth, facts) {
      reference(node.value, [], scope, depth, facts);
      ['predicate', 'group', 'stages'].forEach((k) => walk(node[k], scope, depth + 1, facts));
    },
    name(node, scope, depth, facts) {
      if (depth === 0) facts.names.push(node.value);
      ['predicate', 'group', 'stages'].forEach((k) => walk(node[k], scope, depth + 1, facts));
    },
    path(node, outer, depth, facts) {
      const scope = focused(node, outer), first = node.steps[0];
      if (first.type === 'variable' && first.value !== '' && first.value !== '$') {
        reference(first.value, steps(node), scope, depth, facts);
        ['predicate', 'group', 'stages'].forEach((k) => walk(first[k], scope, depth + 1, facts));
      } else walk(first, scope, depth, facts);
      node.steps.slice(1).forEach((s) => walk(s, scope, depth + 1, facts));
      walk(node.group, scope, depth + 1, facts);
    },
    bind(node, scope, depth, facts) {
      walk(node.rhs, scope, depth, facts);
      if (node.lhs.value === 'states') facts.assignsStates = true;
      scope.add(node.lhs.value);
    },
    block(node, scope, depth, facts) {
      const inner = new Set(scope);
      node.expressions.forEach((e) => walk(e, inner, depth, facts));
    },
    lambda(node, scope, depth, facts) {
      const inner = new Set(scope);
      node.arguments.forEach((a) => inner.add(a.value));
      walk(node.body, inner, depth, facts);
    },
    function(node, scope, depth, facts) { call(node, scope, depth, facts); },
    partial(node, scope, depth, facts) { call(node, scope, depth, facts); },
    regex() {},
    string() {},
    number() {},
    value() {},
    sort(node, scope, depth, facts) { children(node, scope, depth + 1, facts); },
    filter(node, scope, depth, facts) { children(node, scope, depth + 1, facts); },
    transform(node, scope, depth, facts) {
      walk(node.pattern, scope, depth + 1, facts);
      walk(node.update, scope, depth + 1, facts);
      walk(node.delete, scope, depth + 1, facts);
    },
  };

  function call(node, scope, depth, facts) {
    const f = node.procedure;
    if (f.type === 'variable') {
      if (!scope.has(f.value)) facts.functions.push(f.value);
    } else if (f.type === 'path' && f.steps.length === 1 && f.steps[0].type === 'name') {
      facts.functions.push('?' + f.steps[0].value);
    } else walk(f, scope, depth, facts);
    walk(node.arguments, scope, depth, facts);
  }

  root.__facts = function (source) {
    try {
      const facts = { variables: [], functions: [], states: [], names: [], context: false, root: false, assignsStates: false };
      walk(__compile(source).ast(), new Set(), 0, facts);
      return JSON.stringify({ facts });
    } catch (err) {
      return JSON.stringify({ error: { code: err.code || '', message: err.message || String(err), position: err.position || 0 } });
    }
  };
})(this);
