package registration

import "time"

// SetWall gives a node that does not run yet another clock on the wall.
func SetWall(n *Node, wall func() time.Time) { n.sleep.wall = wall }

// AgeConnection makes the connection of a node that does not run older.
func AgeConnection(n *Node, by time.Duration) { n.link.connected = n.link.connected.Add(-by) }
