package mockserver

import "time"

// settings is what the server asks of nodes. It is never edited: a change makes another,
// and a request reads it once, so that none sees half of a change.
type settings struct {
	tokens            []digest
	nodeTimeout       time.Duration
	heartbeatInterval time.Duration
	cloudProfile      bool
	validation        Validation
}

// changeSettings puts in force what edit makes of the settings, unless that fails.
func (s *Server) changeSettings(edit func(*settings) error) (*settings, error) {
	s.changing.Lock()
	defer s.changing.Unlock()
	next := *s.settings.Load()
	if err := edit(&next); err != nil {
		return nil, err
	}
	s.settings.Store(&next)
	s.cluster.SetTimeout(next.nodeTimeout)
	return &next, nil
}
