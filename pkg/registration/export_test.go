package registration

import "time"

// SetWall gives a node that does not run yet another clock on the wall.
func SetWall(n *Node, wall func() time.Time) { n.sleep.wall = wall }
