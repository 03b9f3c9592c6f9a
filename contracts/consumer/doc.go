// Package consumer states what a node needs of orchestratord, as a Pact. Its tests
// have the real client, pkg/registration and pkg/nodeapi, make every request that a
// node's life depends on, and what they wrote down is the pact in
// contracts/pacts, which they hold the committed one against:
//
//	go test -tags pact ./contracts/consumer          # is it still true?
//	go test -tags pact ./contracts/consumer -update  # write it anew
//
// Of an answer the pact demands what the client acts upon and no more: further
// fields, an error without a body or with any body, all of that is up to
// orchestratord. Of a request it states every byte that has a meaning.
package consumer
