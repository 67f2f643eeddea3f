"""Who may do what: policy simulation, access history, GitHub's tokens, assumed roles."""
