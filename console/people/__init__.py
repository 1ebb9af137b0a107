"""Who uses the console: users, their sessions, what each may do, and what each has done."""
