// Package consumer states what a node needs of orchestratord, as a Pact. In its tests the
// real client, pkg/registration and pkg/nodeapi, makes every request that a node's life
// depends on. They record the requests as a pact, and compare it with the committed one in
// contracts/pacts:
//
//	go test -tags pact ./contracts/consumer          # is it still true?
//	go test -tags pact ./contracts/consumer -update  # write it anew
//
// The pact demands of an answer what the client acts upon, and no more: further fields, and
// the body of an error, are up to orchestratord. It states every byte of a request that has
// a meaning.
package consumer
