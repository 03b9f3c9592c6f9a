// Package nodeapi is the protocol by which GPU nodes register with orchestratord: its
// types, a typed client, and checks of every request and answer. All of it is generated
// from openapi/nodes.yaml.
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
