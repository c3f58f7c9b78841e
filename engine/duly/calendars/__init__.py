"""Working time: weekly hours, holidays, open intervals, due and elapsed."""
