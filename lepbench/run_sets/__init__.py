"""Sets of runs: models x suites x protocols as one YAML file, evaluated, tabulated and plotted together."""
