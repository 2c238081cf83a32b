"""JEDI, the executor: breaks tasks into jobs, runs them, accounts for data. Imports only wire and base."""
