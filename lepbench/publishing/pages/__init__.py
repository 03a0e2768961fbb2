"""Pages of HTML: the report of runs, and the site of leaderboards."""
