package onnx

// graph collects nodes in the order they are to run, and the constants they read. A value is known by
// its name; a node with one result gives its own name to it.
type graph struct {
	scope  string // goes before the name of every node: "step3/lstm1/"
	body   message
	shared map[string]bool // constants there are already
}

// node adds an operation and returns the name of its result.
func (g *graph) node(op, name string, inputs []string, attributes ...attribute) string {
	return g.nodes(op, name, inputs, nil, attributes...)[0]
}

// nodes adds an operation with several results, told apart by a suffix each.
func (g *graph) nodes(op, name string, inputs, suffixes []string, attributes ...attribute) []string {
	name = g.scope + name
	outputs := []string{name}
	if suffixes != nil {
		outputs = nil
	}
	for _, s := range suffixes {
		outputs = append(outputs, name+"/"+s)
	}
	g.add(op, name, inputs, outputs, attributes)
	return outputs
}

func (g *graph) add(op, name string, inputs, outputs []string, attributes []attribute) {
	var m message
	for _, s := range inputs {
		m.text(nodeInput, s)
	}
	for _, s := range outputs {
		m.text(nodeOutput, s)
	}
	m.text(nodeName, name)
	m.text(nodeOp, op)
	for _, a := range attributes {
		m.bytes(nodeAttribute, a.encode())
	}
	g.body.bytes(graphNode, m)
}

// constant adds numbers, []float32 or []int64, and returns their name. All steps share what has
// the same name.
func (g *graph) constant(name string, shape []int, data any) string {
	if !g.shared[name] {
		g.shared[name] = true
		g.body.bytes(graphInitializer, encodeTensor(name, shape, data))
	}
	return name
}
