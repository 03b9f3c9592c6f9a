package twoway_test

// changedMatchers are changes to the matching rules of the pact.
var changedMatchers = []finding{
	{
		"a matcher of another type",
		"pact.json", `"$.slots": {"combine": "AND", "matchers": [{"match": "integer"}]}`,
		`"$.slots": {"combine": "AND", "matchers": [{"match": "boolean"}]}`,
		[]string{
			`"a pool" /request/matchingRules/body/$.slots: the example 4 does not match its own matcher boolean`,
			`"a pool" /request/matchingRules/body/$.slots: the matcher boolean stands for boolean, and the ` +
				`document has integer here (document.yaml:85)`,
		},
	},
	{
		"a decimal for an integer",
		"pact.json", `"$.slots": {"combine": "AND", "matchers": [{"match": "integer"}]}`,
		`"$.slots": {"combine": "AND", "matchers": [{"match": "decimal"}]}`,
		[]string{
			`"a pool" /request/matchingRules/body/$.slots: the matcher decimal stands for number, and the ` +
				`document has integer here (document.yaml:85)`,
		},
	},
	{
		"null for what is not nullable",
		"pact.json", `{"match": "regex", "regex": "pool-\\d"}`, `{"match": "null"}`,
		[]string{
			`"a list" /response/matchingRules/body/$[*].name: the example "pool-0" does not match its own ` +
				`matcher null`,
			`"a list" /response/matchingRules/body/$[*].name: the matcher null stands for null, and the ` +
				`document has string here (document.yaml:80)`,
		},
	},
	{
		"a matcher on a field that the document does not have",
		"pact.json", `"$.slots"`, `"$.places"`,
		[]string{
			`"a pool" /request/matchingRules/body/$.places: the document has no field "places" here ` +
				`(document.yaml:76)`,
		},
	},
	{
		"a matcher on an item of what is no array",
		"pact.json", `"$.slots"`, `"$.slots[0]"`,
		[]string{
			`"a pool" /request/matchingRules/body/$.slots[0]: the document has no array here (document.yaml:85)`,
		},
	},
	{
		"a matcher of another type on each value",
		"pact.json", `"rules": [{"match": "type"}]`, `"rules": [{"match": "integer"}]`,
		[]string{
			`"a list" /response/matchingRules/body/$[*].labels: the example "a" does not match its own matcher ` +
				`integer`,
			`"a list" /response/matchingRules/body/$[*].labels: the matcher integer stands for integer or ` +
				`number, and the document has string here (document.yaml:103)`,
		},
	},
	{
		"a matcher of another type on an item that is contained",
		"pact.json", `"$.bytes": {"combine": "AND", "matchers": [{"match": "integer"}]}`,
		`"$.bytes": {"combine": "AND", "matchers": [{"match": "regex", "regex": "1"}]}`,
		[]string{
			`"a list" /response/matchingRules/body/$[*].models/variants/0/$.bytes: the matcher regex stands for ` +
				`string, and the document has integer here (document.yaml:114)`,
		},
	},
	{
		"a matcher that nobody knows",
		"pact.json", `{"match": "boolean"}`, `{"match": "truthy"}`,
		[]string{
			`"a list" /response/matchingRules/body/$[*].ready: nothing is known here of a matcher called "truthy"`,
		},
	},
	{
		"a regex that its example does not match as a whole",
		"pact.json", `pool-\\d`, `pool`,
		[]string{
			`"a list" /response/body/content/0/name: the document allows "pool-0", and the regex pool does not ` +
				`(document.yaml:80)`,
			`"a list" /response/matchingRules/body/$[*].name: the example "pool-0" does not match its own regex ` +
				`pool`,
		},
	},
	{
		"a regex that cannot be read",
		"pact.json", `pool-\\d`, `pool-(?!x)\\d`,
		[]string{
			"\"a list\" /response/matchingRules/body/$[*].name: the regex cannot be checked: error parsing " +
				"regexp: invalid or unsupported Perl syntax: `(?!`",
		},
	},
	{
		"more items than there can be",
		"pact.json", `{"match": "type", "min": 1}`, `{"match": "type", "min": 4}`,
		[]string{
			`"a list" /response/matchingRules/body/$: the matcher demands at least 4 items, and the document ` +
				`has at most 3 (document.yaml:29)`,
		},
	},
	{
		"fewer items than there have to be",
		"pact.json", `{"match": "type", "min": 1}`, `{"match": "type", "max": 0}`,
		[]string{
			`"a list" /response/matchingRules/body/$: the matcher allows at most 0 items, and the document has ` +
				`at least 1 (document.yaml:28)`,
		},
	},
	{
		"a length of what is no array",
		"pact.json", `"$.slots": {"combine": "AND", "matchers": [{"match": "integer"}]}`,
		`"$.slots": {"combine": "AND", "matchers": [{"match": "type", "min": 1}]}`,
		[]string{
			`"a pool" /request/matchingRules/body/$.slots: the matcher type stands for array, and the document ` +
				`has integer here (document.yaml:85)`,
		},
	},
	{
		"a matcher of another type on a header",
		"pact.json", `"X-Total": {"combine": "AND", "matchers": [{"match": "integer"}]}`,
		`"X-Total": {"combine": "AND", "matchers": [{"match": "boolean"}]}`,
		[]string{
			`"a list" /response/matchingRules/header/X-Total: the example "1" does not match its own ` +
				`matcher boolean`,
			`"a list" /response/matchingRules/header/X-Total: the matcher boolean stands for boolean, and the ` +
				`document has integer or string here (document.yaml:20)`,
		},
	},
	{
		"a matcher on a header that the document does not have",
		"pact.json", `{"X-Total": {"combine"`, `{"X-Count": {"combine"`,
		[]string{
			`"a list" /response/matchingRules/header/X-Count: the document has no X-Count here (document.yaml:19)`,
		},
	},
	{
		"a matcher on a query that the document does not have",
		"pact.json", `{"limit": {"combine"`, `{"page": {"combine"`,
		[]string{
			`"a list" /request/matchingRules/query/page: the document has no page here (document.yaml:9)`,
		},
	},
	{
		"a path matcher that lets more through than the parameter",
		"pact.json", `^/pools/[a-z][a-z0-9-]*$`, `^/pools/[^/]+$`,
		[]string{
			`"a pool" /request/matchingRules/path: the path matcher lets through "/pools/ ", which is not a ` +
				`path of putPool (document.yaml:40)`,
		},
	},
	{
		"a path matcher that lets other paths through",
		"pact.json", `^/pools/[a-z][a-z0-9-]*$`, `^/pools(/[a-z][a-z0-9-]*)?$`,
		[]string{
			`"a pool" /request/matchingRules/path: the path matcher lets through "/pools", which is not a path ` +
				`of putPool (document.yaml:40)`,
		},
	},
	{
		"a path matcher that lets everything through",
		"pact.json", `{"match": "regex", "regex": "^/pools/[a-z][a-z0-9-]*$"}`, `{"match": "type"}`,
		[]string{
			`"a pool" /request/matchingRules/path: the path matcher lets through "/pools/pool-0/x", which is ` +
				`not a path of putPool (document.yaml:40)`,
		},
	},
	{
		"a path matcher that the path does not match",
		"pact.json", `^/pools/[a-z][a-z0-9-]*$`, `^/pool/[a-z][a-z0-9-]*$`,
		[]string{
			`"a pool" /request/matchingRules/path: the example "/pools/pool-0" does not match its own regex ^/` +
				`pool/[a-z][a-z0-9-]*$`,
		},
	},
	{
		"a status that is left open",
		"pact.json", `"response": {"status": 204}`,
		`"response": {"status": 204, "matchingRules": {"status": {"matchers": [{"match": "statusCode", ` +
			`"status": "success"}]}}}`,
		[]string{
			`"a pool" /response/matchingRules/status: the status is left open: an interaction expects one that ` +
				`the document declares`,
		},
	},
}
