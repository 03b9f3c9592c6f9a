// Package wire decodes and encodes the JSON of the node API, and checks it in the same pass.
// Its code is generated from the OpenAPI document: what Decode returns keeps the document
// in full, and Check reports whether an answer does.
//
// Decode is a fast path. False does not mean invalid, only not obviously valid: fall back
// to the validator.
package wire
