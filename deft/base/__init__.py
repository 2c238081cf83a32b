"""The ground floor: errors, the clock, settings, the database, guards, and how the annex joins the faces."""
