print("stands for the training code")
