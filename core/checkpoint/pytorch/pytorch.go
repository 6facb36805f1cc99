// Package pytorch imports weights that PyTorch saved with torch.save: a state dict, in the
// zip format or the legacy one, from any device, in any order.
//
// The pickle machine is a library's, once fits has looked at what it is going to read. The storages are read here, because that
// library's loader allocates whatever size a file names, takes a short read for a full one and
// panics on views.
package pytorch

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"path"
	"slices"
	"strings"

	"github.com/nlpodyssey/gopickle/pickle"
	"github.com/nlpodyssey/gopickle/types"
	"github.com/x448/float16"

	"gdram/core"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
)

// classBias is the tensor whose length is the number of classes.
const classBias = "class_net.fc.2.bias"

// Decode reads a .pth file. The state dict may lie under a key as trainers write it, and
// its names may begin with "module." as DataParallel leaves them; it must hold the tensors
// of core.Specs and no others. Errors are sentences without the name of the file.
func Decode(b []byte) (p *core.Params, err error) {
	// A damaged pickle program can drive the library's machine into a panic.
	defer func() {
		if r := recover(); r != nil {
			p, err = nil, fmt.Errorf("the PyTorch file is damaged: %v; copy it again", r)
		}
	}()
	read := readLegacy
	if bytes.HasPrefix(b, []byte("PK\x03\x04")) {
		read = readZip
	}
	object, data, err := read(b)
	if err != nil {
		return nil, fmt.Errorf("not a PyTorch file of weights, or a damaged one: %w", err)
	}
	state, err := stateDict(object)
	if err != nil {
		return nil, err
	}
	return fill(state, data)
}

// storages returns the bytes of a storage.
type storages func(key string) ([]byte, error)

// readZip reads the format since PyTorch 1.6: NAME/data.pkl holds the pickled object, NAME/data/KEY
// the raw numbers of each storage.
func readZip(b []byte) (any, storages, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, nil, err
	}
	records := map[string]*zip.File{}
	for _, f := range z.File {
		_, name, _ := strings.Cut(f.Name, "/")
		records[name] = f
	}
	open := func(name string) ([]byte, error) {
		f, ok := records[name]
		if !ok {
			return nil, fmt.Errorf("the archive has no %s", name)
		}
		if f.Method != zip.Store { // a few kilobytes could unfold to gigabytes
			return nil, fmt.Errorf("record %s is compressed, which PyTorch does not do", name)
		}
		at, err := f.DataOffset()
		if err != nil {
			return nil, fmt.Errorf("record %s: %w", name, err)
		}
		if at > int64(len(b)) || f.CompressedSize64 > uint64(int64(len(b))-at) {
			return nil, fmt.Errorf("it ends within record %s", name)
		}
		content := b[at:][:f.CompressedSize64]
		if f.CRC32 != 0 && f.CRC32 != crc32.ChecksumIEEE(content) { // 0 where PyTorch was told to spare it
			return nil, fmt.Errorf("record %s: %w", name, zip.ErrChecksum)
		}
		return content, nil
	}
	if _, ok := records["byteorder"]; ok {
		if order, err := open("byteorder"); err != nil || string(order) != "little" {
			return nil, nil, errors.New("its numbers begin with the highest byte; save it anew on a machine that has the lowest first")
		}
	}
	program, err := open("data.pkl")
	if err != nil {
		return nil, nil, err
	}
	object, err := unpickle(bytes.NewReader(program), nil)
	if err != nil {
		return nil, nil, err
	}
	return object, func(key string) ([]byte, error) { return open(path.Join("data", key)) }, nil
}

// The legacy format is a row of pickles: these two numbers, the system, the object, and
// the keys of the storages, whose counts and raw numbers follow in that order.
const (
	legacyMagic    = "1950a86a20f9469cfc6c" // hexadecimal
	legacyProtocol = 1001
)

func readLegacy(b []byte) (any, storages, error) {
	r := bytes.NewReader(b)
	magic, err := unpickle(r, nil)
	if n, ok := magic.(interface{ Text(int) string }); err != nil || !ok || n.Text(16) != legacyMagic {
		return nil, nil, errors.New("it begins neither as a zip archive nor with PyTorch's magic number")
	}
	// Objects are not printed: one that holds itself has no end.
	if protocol, err := unpickle(r, nil); err != nil || protocol != legacyProtocol {
		return nil, nil, fmt.Errorf("its protocol is not %d", legacyProtocol)
	}
	if _, err := unpickle(r, nil); err != nil {
		return nil, nil, err
	}
	width := map[string]int{} // bytes of a number, by storage key
	object, err := unpickle(r, width)
	if err != nil {
		return nil, nil, err
	}
	keys, err := unpickle(r, nil)
	if err != nil {
		return nil, nil, err
	}
	list, ok := keys.(*types.List)
	if !ok {
		return nil, nil, errors.New("it has no list of storages")
	}
	rest := b[len(b)-r.Len():]
	data := map[string][]byte{}
	for _, k := range *list {
		key, _ := k.(string)
		w := width[key]
		if w == 0 {
			return nil, nil, fmt.Errorf("storage %q belongs to nothing", key)
		}
		if len(rest) < 8 {
			return nil, nil, fmt.Errorf("it ends before storage %s", key)
		}
		n := binary.LittleEndian.Uint64(rest)
		rest = rest[8:]
		if n > uint64(len(rest)/w) {
			return nil, nil, fmt.Errorf("it ends within storage %s of %d numbers", key, n)
		}
		data[key], rest = rest[:int(n)*w], rest[int(n)*w:]
	}
	return object, func(key string) ([]byte, error) { return data[key], nil }, nil
}

// numbers is a kind of storage: how PyTorch calls it, and how its numbers are read.
type numbers struct {
	width int // bytes
	read  func([]byte) float32
}

var kinds = map[string]numbers{
	"FloatStorage":    {4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }},
	"DoubleStorage":   {8, func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }},
	"HalfStorage":     {2, func(b []byte) float32 { return float16.Frombits(binary.LittleEndian.Uint16(b)).Float32() }},
	"BFloat16Storage": {2, func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) }},
	"LongStorage":     {8, func(b []byte) float32 { return float32(int64(binary.LittleEndian.Uint64(b))) }},
	"IntStorage":      {4, func(b []byte) float32 { return float32(int32(binary.LittleEndian.Uint32(b))) }},
}

// storage is the pickled reference to raw numbers.
type storage struct {
	kind numbers
	key  string
}

// tensor is a pickled tensor: a window of a storage.
type tensor struct {
	storage storage
	offset  int // numbers
	shape   []int
	strides []int
}

// unpickle runs one pickle program. It notes the widths of the storages it meets in
// width, unless that is nil.
func unpickle(r *bytes.Reader, width map[string]int) (any, error) {
	if err := fits(r); err != nil {
		return nil, err
	}
	u := pickle.NewUnpickler(r)
	u.FindClass = func(module, name string) (any, error) {
		switch {
		case module == "torch._utils" && name == "_rebuild_tensor_v2":
			return call(rebuildTensor), nil
		case module == "torch._utils" && name == "_rebuild_parameter":
			return call(func(args []any) (any, error) { return args[0], nil }), nil
		case module == "torch" && kinds[name].width > 0:
			return kinds[name], nil
		}
		return &foreign{}, nil
	}
	u.PersistentLoad = func(id any) (any, error) {
		// ("storage", kind, key, device, count) and, in legacy files, the view of it or None.
		t, ok := id.(*types.Tuple)
		if !ok || t.Len() < 5 || t.Get(0) != "storage" {
			return nil, errors.New("unknown kind of reference")
		}
		kind, kindOK := t.Get(1).(numbers)
		key, keyOK := t.Get(2).(string)
		if !kindOK || !keyOK {
			return nil, errors.New("a storage of unknown type")
		}
		if t.Len() > 5 && t.Get(5) != nil {
			return nil, errors.New("a storage that is a view of another; save the state dict with a newer PyTorch")
		}
		if width != nil {
			width[key] = kind.width
		}
		return storage{kind, key}, nil
	}
	return u.Load()
}

// call lets the pickle machine call a function.
type call func(args []any) (any, error)

func (c call) Call(args ...any) (any, error) { return c(args) }

// foreign stands for any other class and its objects, such as the state of an optimiser
// beside the weights. It takes whatever the pickle puts into it, and forgets it.
type foreign struct{}

func (f *foreign) Call(...any) (any, error)  { return &foreign{}, nil }
func (f *foreign) PyNew(...any) (any, error) { return &foreign{}, nil }
func (f *foreign) PySetState(any) error      { return nil }
func (f *foreign) Set(_, _ any)              {}
func (f *foreign) Append(any)                {}

// rebuildTensor takes storage, offset, shape, strides, and what only training needs.
func rebuildTensor(args []any) (any, error) {
	if len(args) < 4 {
		return nil, errors.New("a tensor without shape")
	}
	s, storageOK := args[0].(storage)
	offset, offsetOK := args[1].(int)
	shape, shapeOK := ints(args[2])
	strides, stridesOK := ints(args[3])
	if !storageOK || !offsetOK || !shapeOK || !stridesOK {
		return nil, errors.New("a tensor of unknown form")
	}
	return tensor{s, offset, shape, strides}, nil
}

func ints(x any) ([]int, bool) {
	t, ok := x.(*types.Tuple)
	if !ok {
		return nil, false
	}
	var list []int
	for _, e := range *t {
		n, ok := e.(int)
		if !ok {
			return nil, false
		}
		list = append(list, n)
	}
	return list, true
}

// wrappers are the keys under which trainers keep the state dict.
var wrappers = []string{"state_dict", "model_state_dict", "model", "net"}

// stateDict finds the tensors in what was pickled, by their published names.
func stateDict(object any) (map[string]tensor, error) {
	items := entries(object)
	for _, key := range wrappers {
		if inner := entries(items[key]); inner != nil {
			items = inner
			break
		}
	}
	state := map[string]tensor{}
	for name, x := range items {
		if t, ok := x.(tensor); ok {
			state[strings.TrimPrefix(name, "module.")] = t
		}
	}
	if len(state) == 0 {
		return nil, errors.New("the file holds no state dict; write it with torch.save(model.state_dict(), ...)")
	}
	return state, nil
}

// entries returns what a dict holds under string keys, nil if x is no dict.
func entries(x any) map[string]any {
	items := map[string]any{}
	add := func(key, value any) {
		if name, ok := key.(string); ok {
			items[name] = value
		}
	}
	switch d := x.(type) {
	case *types.OrderedDict:
		for key, e := range d.Map {
			add(key, e.Value)
		}
	case *types.Dict:
		for _, e := range *d {
			add(e.Key, e.Value)
		}
	default:
		return nil
	}
	return items
}

// fill copies the tensors into new parameters, after checking that all of them fit.
func fill(state map[string]tensor, data storages) (*core.Params, error) {
	bias, ok := state[classBias]
	if !ok || len(bias.shape) != 1 || bias.shape[0] < 2 {
		return nil, fmt.Errorf("the weights lack the tensor %s with one number a class; this is not a file of this network", classBias)
	}
	classes := bias.shape[0]
	known := map[string]bool{}
	raw := map[string][]byte{}
	for _, s := range core.Specs(classes) {
		known[s.Name] = true
		x, ok := state[s.Name]
		if !ok {
			return nil, fmt.Errorf("the weights lack the tensor %s; this is not a file of this network", s.Name)
		}
		if !slices.Equal(x.shape, s.Shape) {
			return nil, fmt.Errorf("the tensor %s has shape %v, want %v; this is not a file of this network", s.Name, x.shape, s.Shape)
		}
		if !rowMajor(x) || x.offset < 0 || x.offset > disk.MaxFile {
			return nil, fmt.Errorf("the tensor %s does not lie in one piece; save it after calling contiguous()", s.Name)
		}
		w := x.storage.kind.width
		begin, end := x.offset*w, (x.offset+s.Len())*w
		b, err := data(x.storage.key)
		if err != nil {
			return nil, fmt.Errorf("the tensor %s cannot be read: %w; copy the file again", s.Name, err)
		}
		if len(b) < end {
			return nil, fmt.Errorf("the storage of tensor %s has %d bytes, want %d; the file is damaged, copy it again", s.Name, len(b), end)
		}
		raw[s.Name] = b[begin:end]
	}
	for name := range state {
		if !known[name] {
			return nil, fmt.Errorf("the weights hold an unknown tensor %s; this is not a file of this network", name)
		}
	}
	p := core.NewParams(classes)
	for name, b := range raw {
		kind := state[name].storage.kind
		v := p.Tensor(name)
		for i := range v {
			v[i] = kind.read(b[i*kind.width:])
		}
	}
	if err := checkpoint.Sound(p); err != nil {
		return nil, err
	}
	return p, nil
}

// rowMajor reports whether the numbers of x follow each other. The stride of a dimension
// of one does not matter.
func rowMajor(x tensor) bool {
	want := 1
	for i := len(x.shape) - 1; i >= 0; i-- {
		if len(x.strides) != len(x.shape) || x.shape[i] != 1 && x.strides[i] != want {
			return false
		}
		want *= x.shape[i]
	}
	return true
}
