package rules_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/perennial-llm/perennial/pkg/rules"
)

const sample = `{"source":"aws.s3","id":"1","n":300.0,"ip":"10.0.0.7","name":"café.JPG","nothing":null,"flag":true,"list":["a","b",[7]],"none":[],
 "detail":{"bucket":{"name":"raw"},"object":{"key":"in/2026/rows.jsonl.gz","size":5},
 "files":[{"name":"a.txt","ok":true},{"name":"b.txt","ok":false}]},"dotted.key":1}`

func TestPattern_Match(t *testing.T) {
	for _, c := range []struct {
		pattern string
		want    bool
	}{
		{`{"source":["aws.s3"],"detail":{"bucket":{"name":["raw","other"]}}}`, true},
		{`{"source":["AWS.s3"]}`, false},
		{`{"n":[3.0e2]}`, true},
		{`{"n":["300"]}`, false},
		{`{"n":[{"numeric":[">",299,"<=",300]}]}`, true},
		{`{"n":[{"numeric":["=",300]}]}`, true},
		{`{"n":[{"numeric":["<",300]}]}`, false},
		{`{"source":[{"numeric":[">",0]}]}`, false},
		{`{"ip":[{"cidr":"10.0.0.0/29"}]}`, true},
		{`{"ip":[{"cidr":"10.0.0.8/29"}]}`, false},
		{`{"source":[{"cidr":"10.0.0.8/29"}]}`, false},
		{`{"name":[{"suffix":".jpg"}]}`, false},
		{`{"name":[{"suffix":{"equals-ignore-case":".jpg"}}]}`, true},
		{`{"name":[{"equals-ignore-case":"CAFÉ.jpg"}]}`, true},
		{`{"name":[{"prefix":""}]}`, true},
		{`{"detail":{"object":{"key":[{"wildcard":"in/*/rows*.gz"}]}}}`, true},
		{`{"detail":{"object":{"key":[{"wildcard":"in/*/rows"}]}}}`, false},
		{`{"detail":{"object":{"key":[{"wildcard":"in/\\*"}]}}}`, false},
		{`{"nothing":[null]}`, true},
		{`{"nothing":[{"anything-but":"x"}]}`, true},
		{`{"missing":[{"anything-but":"x"}]}`, false},
		{`{"missing":[{"exists":false}]}`, true},
		{`{"source":[{"exists":false}]}`, false},
		{`{"detail":[{"exists":true}]}`, false},
		{`{"none":[{"exists":true}]}`, false},
		{`{"missing":[{"exists":false},"x"],"source":[{"exists":true}]}`, true},
		{`{"list":["b"]}`, true},
		{`{"list":[7]}`, true},
		{`{"list":[{"anything-but":["a","b"]}]}`, true},
		{`{"source":[{"anything-but":{"prefix":["x","aws"]}}]}`, false},
		{`{"source":[{"anything-but":{"suffix":"s4"}}]}`, true},
		{`{"source":[{"anything-but":{"wildcard":"*.s3"}}]}`, false},
		{`{"source":[{"anything-but":{"equals-ignore-case":["AWS.S3"]}}]}`, false},
		{`{"n":[{"anything-but":[300]}]}`, false},
		{`{"flag":[true]}`, true},
		{`{"flag":["true"]}`, false},
		{`{"dotted":{"key":[1]}}`, true},
		{`{"detail":{"files":{"name":["a.txt"],"ok":[true]}}}`, true},
		{`{"detail":{"files":{"name":["b.txt"],"ok":[true]}}}`, false}, // not in one element
		{`{"$or":[{"source":["x"]},{"id":["1"]}]}`, true},
		{`{"$or":[{"source":["x"]},{"id":["2"]}]}`, false},
		{`{"source":["aws.s3"],"detail":{"$or":[{"bucket":{"name":["x"]}},{"object":{"size":[{"numeric":[">",4]}]}}]}}`, true},
		{`{"n":[{"exactly":"300"}]}`, false},
		{`{"source":["x"],"source":["aws.s3"]}`, true},                                   // the last of two keys counts
		{`{"detail":{"object":{"size":[5]}},"detail":{"bucket":{"name":["x"]}}}`, false}, // but other paths stay
		{`{"detail":{"files":{"name":["a.txt"],"other":[{"exists":false}]}}}`, true},
		{`{"detail":{"files":{"name":["a.txt"],"ok":[{"exists":false}]}}}`, false},
		{`{"nothing":[{"anything-but":{"suffix":["l"]}}]}`, true}, // null is not the text "null"
		{`{"$or":{"source":["aws.s3"]}}`, false},                  // an ordinary field called $or
	} {
		got, err := rules.MatchJSON([]byte(c.pattern), []byte(sample))
		require.NoError(t, err, c.pattern)
		require.Equal(t, c.want, got, c.pattern)
	}
}

func TestParsePattern_RefusesInAWSsWords(t *testing.T) {
	for pattern, reason := range map[string]string{
		`{"a": 1}`:                                   `"a" must be an object or an array`,
		`{"a": []}`:                                  `Empty arrays are not allowed`,
		`{"a": {}}`:                                  `Empty objects are not allowed`,
		`{}`:                                         `Empty objects are not allowed`,
		`["a"]`:                                      `Filter is not an object`,
		`{"a": [["b"]]}`:                             `Match value must be String, number, true, false, or null`,
		`{"a": [{"EXISTS": true}]}`:                  `Unrecognized match type EXISTS`,
		`{"a": [{"exists": "yes"}]}`:                 `exists match pattern must be either true or false.`,
		`{"a": [{"prefix": 1}]}`:                     `prefix match pattern must be a string`,
		`{"a": [{"prefix": "a", "suffix":""}]}`:      `Only one key allowed in match expression`,
		`{"a": [{"wildcard": "a**"}]}`:               `Consecutive wildcard characters at pos 2`,
		`{"a": [{"wildcard": "\\a"}]}`:               `Invalid escape character at pos 1`,
		`{"a": [{"wildcard": "*:*:*:*:*:x/*"}]}`:     `Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character`,
		`{"a": [{"cidr": "10.0.0.0"}]}`:              `Malformed CIDR, one '/' required`,
		`{"a": [{"cidr": "10.0.0.0/x"}]}`:            `Malformed CIDR, mask bits must be an integer`,
		`{"a": [{"cidr": "10.0.0.0/32"}]}`:           `IPv4 mask bits must be < 32`,
		`{"a": [{"cidr": "10.0.0.999/8"}]}`:          `Invalid IP address: 10.0.0.999`,
		`{"a": [{"cidr": "host/8"}]}`:                `Nonstandard IP address: host`,
		`{"$or": [{"a": ["b"]}]}`:                    `There must have at least 2 Objects in $or relationship.`,
		`{"$or": [{"a": ["b"]}, {"prefix": ["c"]}]}`: `prefix is Ruler reserved fieldName which cannot be used inside $or.`,
		`{"a": [{"numeric": [">", 2, "<", 2]}]}`:     `Bottom must be less than top`,
		`{"a": [{"numeric": [">", 0, "<", 2, 3]}]}`:  `Too many terms in numeric range expression`,
		`{"a": [1,]}`:                                `Unexpected character (']' (code 93)): expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`,
		`{"a": ["b"`:                                 `Unexpected end-of-input: expected close marker for Array (start marker at [Source: (String)"{"a": ["b""; line: 1, column: 7])`,
		`{"a": [{"numeric": 5}]}`:                    `Value of numeric must be an array.`,
		`{"a": [{"numeric": [">", 0, ">", 1]}]}`:     `Bad numeric range operator: >`,
		`{"a": [{"numeric": [">", 0, "<"]}]}`:        `Value of < must be numeric`,
		`{"a": [{"anything-but": null}]}`:            `Value of anything-but must be an array or single string/number value.`,
		`{"a": [{"anything-but": ["x", null]}]}`:     `Inside anything but list, start|null|boolean is not supported.`,
		`{"a": [{"anything-but": {"prefix": ""}}]}`:  `Null prefix/suffix not allowed`,
		`nonsense`:                                   `Unrecognized token 'nonsense': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')`,
		`{'a': 1}`:                                   `Unexpected character (''' (code 39)): was expecting double-quote to start field name`,
	} {
		_, err := rules.ParsePattern([]byte(pattern))
		var refused *rules.PatternError
		require.ErrorAs(t, err, &refused, pattern)
		require.Equal(t, reason, refused.Reason, pattern)
	}
}

func TestParsePattern_NamesThePlaceAsAWSDoes(t *testing.T) {
	for pattern, place := range map[string]string{
		`{"a": 42}`:                    "\n at [Source: (String)\"{\"a\": 42}\"; line: 1, column: 9]",
		`{"a": "b"}`:                   "\n at [Source: (String)\"{\"a\": \"b\"}\"; line: 1, column: 8]",
		"{\"a\":\n [{\"prefix\": 1}]}": "\n at [Source: (String)\"{\"a\":\n [{\"prefix\": 1}]}\"; line: 2, column: 15]",
		`{"a": [{"anything-but": {"prefix": [1]}}]}`: strings.Repeat("\n at [Source: (String)\"{\"a\": [{\"anything-but\": {\"prefix\": [1]}}]}\"; line: 1, column: 38]", 2),
		`{"a": [{"cidr": "x"}]}`:                     "",
		`[1]`:                                        "\n at [Source: (String)\"[1]\"; line: 1, column: 2]",
	} {
		_, err := rules.ParsePattern([]byte(pattern))
		var refused *rules.PatternError
		require.ErrorAs(t, err, &refused, pattern)
		require.Equal(t, place, refused.Place, pattern)
	}
	_, err := rules.ParsePattern([]byte(`{"a": 42, "` + strings.Repeat("x", 600)))
	require.ErrorContains(t, err, "[truncated 111 chars]; line: 1, column: 9]")
}

// TestPattern_Match_StaysCheap matches many conditions over long arrays of objects without trying every combination.
func TestPattern_Match_StaysCheap(t *testing.T) {
	var pattern, event []string
	for _, name := range strings.Split("abcdefghijkl", "") {
		pattern = append(pattern, `"`+name+`":{"x":[1]}`)
		event = append(event, `"`+name+`":[`+strings.Repeat(`{"x":1},`, 99)+`{"x":1}]`)
	}
	pattern = append(pattern, `"z":[1]`)
	matches, err := rules.MatchJSON([]byte("{"+strings.Join(pattern, ",")+"}"), []byte("{"+strings.Join(event, ",")+"}"))
	require.NoError(t, err)
	require.False(t, matches)
}

func TestParsePattern_LimitsWhatOrExpandsTo(t *testing.T) {
	or := `"$or":[{"a":[1]},{"b":[1]},{"c":[1]},{"d":[1]}]`
	_, err := rules.ParsePattern([]byte(`{"x":{` + or + `},"y":{` + or + `},"z":{` + or + `},"u":{` + or + `},"v":{` + or + `}}`))
	require.ErrorContains(t, err, "$or expands to more than 1000")
}

func TestParseEvent_ReadsEverySpelling(t *testing.T) {
	for event, pattern := range map[string]string{
		`{"a" : "x\"\\\u0041\ud83d\ude00", "b":[ ]}`: `{"a":["x\"\\A😀"]}`,
		"{\"a\":\"\xff\"}":                           `{"a":["\ufffd"]}`,
		`{"\u0061":[[[-1.5E+2]],{}]}`:                `{"a":[-150]}`,
		"\t{\r\n\"a\":{\"\":{\"c\":null}} }\n":       `{"a":{"":{"c":[null]}}}`,
		`{"a":{"b":1},"a.b":2,"a":{"b":3}}`:          `{"a":{"b":[3]}}`,
		`{"a":[true,false,null,0]}`:                  `{"a":[false]}`,
		`{"a":[{"b":1,"c":[{"d":2}]},{"b":3}]}`:      `{"a":{"b":[1],"c":{"d":[2]}}}`,
	} {
		matches, err := rules.MatchJSON([]byte(pattern), []byte(event))
		require.NoError(t, err, event)
		require.True(t, matches, "%s %s", event, pattern)
	}
	for _, event := range []string{``, `[]`, `"a"`, `{`, `{}{}`, `{"a":01}`, `{"a":.5}`, `{"a":tru}`, `{'a':1}`, `null`} {
		_, err := rules.ParseEvent([]byte(event))
		require.ErrorIs(t, err, rules.ErrEvent, event)
	}
}

func FuzzMatch(f *testing.F) {
	f.Add(`{"a":[{"anything-but":{"prefix":"x"}}],"$or":[{"b":[1]},{"c":[{"exists":false}]}]}`, sample)
	f.Add(`{"a":[{"numeric":[">",1e300,"<=",2]}]}`, `{"a":[1e99999,{"b":[[]]}]}`)
	f.Add(`{"a":[{"wildcard":"*a*b*"}]}`, `{"a":"aaaabbbb"}`)
	f.Fuzz(func(t *testing.T, pattern, event string) {
		first, err := rules.MatchJSON([]byte(pattern), []byte(event))
		second, again := rules.MatchJSON([]byte(pattern), []byte(event))
		require.Equal(t, first, second)
		require.Equal(t, err, again)
	})
}

func BenchmarkMatch(b *testing.B) {
	p, err := rules.ParsePattern([]byte(`{"source":["aws.s3"],"detail":{"bucket":{"name":["raw"]},"object":{"key":[{"suffix":".gz"}],"size":[{"numeric":[">",0]}]}}}`))
	require.NoError(b, err)
	for b.Loop() {
		e, err := rules.ParseEvent([]byte(sample))
		if err != nil || !p.Match(e) {
			b.Fatal("must match")
		}
	}
}
