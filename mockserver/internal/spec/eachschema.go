package spec

import "github.com/getkin/kin-openapi/openapi3"

// eachSchema calls visit for every place of a document that has a schema, or could have one.
func eachSchema(doc *openapi3.T, visit func(**openapi3.SchemaRef)) {
	for _, schema := range doc.Components.Schemas {
		visit(&schema)
	}
	for _, path := range doc.Paths.Map() {
		for _, operation := range path.Operations() {
			eachSchemaOf(operation, visit)
		}
	}
}

func eachSchemaOf(operation *openapi3.Operation, visit func(**openapi3.SchemaRef)) {
	content := func(types openapi3.Content) {
		for _, mediaType := range types {
			visit(&mediaType.Schema)
		}
	}
	for _, parameter := range operation.Parameters {
		visit(&parameter.Value.Schema)
	}
	if operation.RequestBody != nil {
		content(operation.RequestBody.Value.Content)
	}
	for _, response := range operation.Responses.Map() {
		content(response.Value.Content)
		for _, header := range response.Value.Headers {
			visit(&header.Value.Schema)
		}
	}
}
