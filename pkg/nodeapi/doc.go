// Package nodeapi is the protocol by which GPU nodes register with orchestratord. It has the
// types, a typed client, and a Validate method for every request and answer. They are
// generated from openapi/nodes.yaml.
//
//	client, err := nodeapi.NewClientWithResponses("http://127.0.0.1:8080")
//	if err != nil {
//		return err
//	}
//	answer, err := client.ListNodesWithResponse(ctx, nil)
//	if err != nil {
//		return err
//	}
//	if answer.JSON200 == nil {
//		return fmt.Errorf("orchestratord answered %s", answer.Status())
//	}
//	for _, node := range answer.JSON200.Nodes {
//		fmt.Println(node.NodeID, node.Status)
//	}
//
// A node that wants to stay registered needs retries, heartbeats and a clean
// departure besides; package registration has them.
package nodeapi
