// Package wire reads and writes the JSON of the node API at the price of reading and
// writing it. Its code is made from the OpenAPI document: what Decode returns keeps the
// document in full, and Check says whether an answer does.
//
// Decode is for the bodies that nodes send day in, day out. It says nothing of what it
// does not accept, which need not break the document: who wants to know asks a validator.
package wire
