module ipvsstate

go 1.26
