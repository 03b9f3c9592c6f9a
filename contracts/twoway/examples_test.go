package twoway_test

// changedExamples are changes to the examples of the pact, and to what the document says of them.
var changedExamples = []finding{
	{
		"an operation that the document does not have",
		"pact.json", `"path": "/pools",`, `"path": "/pool",`,
		[]string{
			`"a list" /request/path: the document has no GET /pool`,
			`/paths/~1pools/get/responses/200: no interaction exercises 200 of listPools, and it is not exempt ` +
				`(document.yaml:17)`,
		},
	},
	{
		"a path that is no value of the parameter",
		"pact.json", `"path": "/pools/pool-0"
      },
      "response": {"status": 204}`, `"path": "/pools/Pool"
      },
      "response": {"status": 204}`,
		[]string{
			`"a pool" /request/matchingRules/path: the example "/pools/Pool" does not match its own regex ^/` +
				`pools/[a-z][a-z0-9-]*$`,
			`"a pool" /request/path: string doesn't match the regular expression "^[a-z][a-z0-9-]*$" ` +
				`(document.yaml:39)`,
		},
	},
	{
		"a status that the document does not declare",
		"pact.json", `"status": 204`, `"status": 201`,
		[]string{
			`"a pool" /response/status: the document declares no 201 for putPool (document.yaml:55)`,
			`/paths/~1pools~1{name}/put/responses/204: no interaction exercises 204 of putPool, and it is not ` +
				`exempt (document.yaml:56)`,
		},
	},
	{
		"an integer that is a string",
		"pact.json", `"slots": 4`, `"slots": "4"`,
		[]string{
			`"a pool" /request/body/content/slots: value must be an integer (document.yaml:86)`,
			`"a pool" /request/matchingRules/body/$.slots: the example "4" does not match its own matcher integer`,
		},
	},
	{
		"a value that breaks the format",
		"pact.json", `2025-10-01T00:00:00Z`, `yesterday`,
		[]string{
			`"a pool" /request/body/content/since: string doesn't match the format "date-time" (string doesn't ` +
				`match pattern "^[0-9]{4}-(0[1-9]|10|11|12)-(0[1-9]|[12][0-9]|3[01])T([0-1][0-9]|` +
				`2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?(Z|(\+|-)([0-1][0-9]|2[0-3]):[0-5][0-9])$") ` +
				`(document.yaml:95)`,
		},
	},
	{
		"a value that breaks a part of an allOf",
		"pact.json", `"bytes": 1`, `"bytes": "1"`,
		[]string{
			`"a list" /response/body/content/0/models/0/bytes: value must be an integer (document.yaml:115)`,
			`"a list" /response/matchingRules/body/$[*].models/variants/0/$.bytes: the example "1" does not ` +
				`match its own matcher integer`,
		},
	},
	{
		"a field of the request that the document does not have",
		"pact.json", `"load": 0.5,`, `"load": 0.5, "weight": 1,`,
		[]string{
			`"a pool" /request/body/content/weight: the document has no field "weight" here (document.yaml:76)`,
		},
	},
	{
		"a field of the response that the document does not have",
		"pact.json", `"id": "llama"`, `"id": "llama", "a/b~": 1`,
		[]string{
			`"a list" /response/body/content/0/models/0/a~1b~0: the document has no field "a/b~" here ` +
				`(document.yaml:98)`,
		},
	},
	{
		"a field that is required and missing",
		"pact.json", `{"load": 0.5, "name": "pool-0",`, `{"load": 0.5,`,
		[]string{
			`"a pool" /request/body/content/name: property "name" is missing (document.yaml:78)`,
		},
	},
	{
		"no body where the document requires one",
		"pact.json",
		`"body": {"content": {"name": "pool-0"}, "contentType": "application/json", "encoded": false},`, ``,
		[]string{
			`"a pool that is unknown" /request/body: there is no body, and the document requires one ` +
				`(document.yaml:50)`,
		},
	},
	{
		"a body where the document has none",
		"pact.json", `"response": {"status": 204}`,
		`"response": {"status": 204, "body": {"content": {"a": 1}, "contentType": "application/json"}}`,
		[]string{
			`"a pool" /response/body: there is a body, and the document has none (document.yaml:56)`,
		},
	},
	{
		"a body of a request where the document has none",
		"pact.json", `"path": "/pools",`,
		`"path": "/pools", "body": {"content": "a", "contentType": "text/plain"},`,
		[]string{
			`"a list" /request/body: there is a body, and the document has none (document.yaml:7)`,
		},
	},
	{
		"a success whose body has to be empty",
		"pact.json", `"body": {
          "content": [`, `"body": {"content": null}, "other": {
          "content": [`,
		[]string{
			`"a list" /response/body: the body has to be empty, and the document has one (document.yaml:24)`,
		},
	},
	{
		"an error whose body is of another media type",
		"pact.json", `{"status": 404}`,
		`{"status": 404, "body": {"content": "unknown", "contentType": "text/plain"}}`,
		[]string{
			`"a pool that is unknown" /response/body/content: the body is text/plain, and the document has it ` +
				`as application/problem+json (document.yaml:61)`,
		},
	},
	{
		"an error whose body is not valid",
		"pact.json", `{"status": 404}`,
		`{"status": 404, "headers": {"Content-Type": ["application/problem+json"]}, "body": {"content": ` +
			`{"code": 1}, "contentType": "application/json"}}`,
		[]string{
			`"a pool that is unknown" /response/body/content/code: the document has no field "code" here ` +
				`(document.yaml:61)`,
		},
	},
	{
		"a header of the request that the document does not have",
		"pact.json", `"If-Match": ["1"]`, `"If-None-Match": ["1"]`,
		[]string{
			`"a pool" /request/headers/If-None-Match: the document has no If-None-Match here (document.yaml:44)`,
		},
	},
	{
		"a token where the document requires none",
		"pact.json", `"Accept": ["application/json"]`, `"Authorization": ["Bearer abc"]`,
		[]string{
			`"a list" /request/headers/Authorization: the document has no Authorization here (document.yaml:9)`,
		},
	},
	{
		"a header of the response that the document does not have",
		"pact.json", `"x-total": ["1"]`, `"X-Count": ["1"]`,
		[]string{
			`"a list" /response/headers/X-Count: the document has no X-Count here (document.yaml:19)`,
			`"a list" /response/matchingRules/header/X-Total: the rule is for nothing: the example has no X-Total`,
		},
	},
	{
		"a header of the response that the document does not require",
		"document.yaml", "              required: true\n          content:", "          content:",
		[]string{
			`"a list" /response/headers/X-Total: the document does not require X-Total (document.yaml:20)`,
		},
	},
	{
		"a field of the response that the document does not require",
		"document.yaml", "[ready, engine, models, labels, notes]", "[ready, models, labels, notes]",
		[]string{
			`"a list" /response/body/content/0/engine: the document does not require the field "engine" ` +
				`(document.yaml:116)`,
		},
	},
	{
		"a field inside the response that the document does not require",
		"document.yaml", "required: [id, bytes]", "required: [id]",
		[]string{
			`"a list" /response/body/content/0/models/0/bytes: the document does not require the field "bytes" ` +
				`(document.yaml:98)`,
		},
	},
	{
		"a field that the document does no more than allow",
		"document.yaml", "          required: [any]\n", "",
		[]string{
			`"a list" /response/body/content/0/notes/any: the document does not require the field "any" ` +
				`(document.yaml:105)`,
		},
	},
	{
		"a header that is not valid",
		"pact.json", `"x-total": ["1"]`, `"x-total": ["one"]`,
		[]string{
			`"a list" /response/headers/x-total/0: value must be an integer (document.yaml:22)`,
			`"a list" /response/matchingRules/header/X-Total: the example "one" does not match its own matcher ` +
				`integer`,
		},
	},
	{
		"a query that the document does not have, and not the one that it requires",
		"pact.json", `"query": {"limit": ["10"]}`, `"query": {"page": ["1"]}`,
		[]string{
			`"a list" /request: the query parameter limit is missing, and the document requires it ` +
				`(document.yaml:12)`,
			`"a list" /request/matchingRules/query/limit: the rule is for nothing: the example has no limit`,
			`"a list" /request/query/page: the document has no page here (document.yaml:9)`,
		},
	},
	{
		"a query that is not valid",
		"pact.json", `"query": {"limit": ["10"]}`, `"query": {"limit": ["101"]}`,
		[]string{
			`"a list" /request/query/limit/0: number must be at most 100 (document.yaml:15)`,
		},
	},
}
