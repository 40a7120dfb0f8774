package kernel

func chooseSet() set { return goSet() }
