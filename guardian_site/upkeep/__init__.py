"""What is done with stored data by hand or by the clock: copied, exported, forgotten."""
