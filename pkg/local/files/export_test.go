package files

// Steps makes the store tell each step of its writes.
func Steps(tell func(step string)) Option { return func(s *Store) { s.step = tell } }
