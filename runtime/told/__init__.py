"""What the console's pages are told of lots, sites and processes, from the warehouse's rows."""
