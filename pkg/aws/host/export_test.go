package host

// Said lets tests see steps as the API shows them.
var Said = said
