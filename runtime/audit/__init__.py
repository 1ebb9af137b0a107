"""Whether what is stored is what gateways have signed: the audit, live and whole."""
