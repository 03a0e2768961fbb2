"""Records to tables, sheets and leaderboards."""
