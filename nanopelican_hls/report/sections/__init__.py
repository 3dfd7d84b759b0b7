"""The sections of a report, one module each; every one makes a `Section` of a `Subject`."""
