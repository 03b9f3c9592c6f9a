// Package wire decodes and encodes the JSON of the node API by code that is generated from the
// OpenAPI document. Values are checked by the Validate methods of nodeapi.
//
// Decode is a fast path. False does not mean invalid, only not obviously valid: fall back
// to the validator.
package wire
