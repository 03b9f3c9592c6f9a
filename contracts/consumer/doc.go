// Package consumer holds the tests that record the pact: what a node needs from
// orchestratord. In them the real client, pkg/registration and pkg/nodeapi, makes every
// request that a node depends on. The tests compare the recorded pact with the committed
// one in contracts/pacts:
//
//	go test -tags pact ./contracts/consumer          # is it still true?
//	go test -tags pact ./contracts/consumer -update  # write it anew
//
// Of an answer, the pact demands only what the client acts upon. Further fields, and the
// body of an error, are up to orchestratord. Of a request, it states every byte that has a
// meaning. Only the requests of "any node" are matched by form, so that a stub server that
// has nothing but the pact serves every node.
package consumer
