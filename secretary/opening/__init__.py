"""When somebody is there: weeks, holidays, exceptions, and how it is said. Pure: values and instants, no database."""
