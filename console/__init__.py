"""What people look at: SQL over HTTP now, pages later."""
