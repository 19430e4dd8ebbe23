//! From the text of a scenario to a checked model.
