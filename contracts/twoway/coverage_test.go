package twoway_test

// changedCoverage are changes to the exemptions and to the results of the verification.
var changedCoverage = []finding{
	{
		"a status that no interaction exercises",
		"exempt.yaml", "- status: 422\n  operations: [putPool]\n  reason: the client validates what it sends\n", "",
		[]string{
			`/paths/~1pools~1{name}/put/responses/422: no interaction exercises 422 of putPool, and it is not ` +
				`exempt (document.yaml:68)`,
		},
	},
	{
		"an exemption of a status that is exercised",
		"exempt.yaml", "[putPool]", "[putPool]\n  reason: none\n- status: 204\n  operations: [putPool]",
		[]string{
			`204 of putPool is exempt for nothing: interaction "a pool" exercises it (exempt.yaml:5)`,
		},
	},
	{
		"an exemption of a status that is not declared",
		"exempt.yaml", "[putPool]", "[putPool, listPools, dropPool]",
		[]string{
			`422 of listPools is exempt for nothing: the document declares no such status (exempt.yaml:2)`,
			`422 of dropPool is exempt for nothing: the document declares no such status (exempt.yaml:2)`,
		},
	},
	{
		"an exemption that is there already",
		"exempt.yaml", "[putPool]", "[putPool, putPool]",
		[]string{
			`422 of putPool is exempt for nothing: an entry above says so already (exempt.yaml:2)`,
		},
	},
	{
		"an interaction that the provider does not keep",
		"results.json", `"skipped"`, `"failed"`,
		[]string{
			`"a pool that is unknown": registry does not keep it`,
		},
	},
	{
		"an interaction that was not verified, and one that is not in the pact",
		"results.json", `"description": "a pool",`, `"description": "an old pool",`,
		[]string{
			`"a pool": the verification of registry has no result for it`,
			`"an old pool": it was verified, but the pact does not have it`,
		},
	},
	{
		"an interaction that was verified in another state",
		"results.json", `"providerStates": ["no pool is there"]`, `"providerStates": []`,
		[]string{
			`"a pool that is unknown": the verification of registry has no result for it`,
			`"a pool that is unknown": it was verified, but the pact does not have it`,
		},
	},
}
