"""What `bin/up` and `bin/test` run: embedded servers and their supervisor; stdlib only."""
