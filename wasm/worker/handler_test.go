package main

import (
	"bytes"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"gdram/core"
	"gdram/core/answer"
	"gdram/core/checkpoint"
	"gdram/core/checkpoint/disk"
	"gdram/core/pixels"
	"gdram/core/policy"
	"gdram/core/train"
)

var letters = strings.Fields("a b c d e f g h i j")

// file is untrained weights of ten classes.
func file(t *testing.T, seed uint64, meta checkpoint.Meta) []byte {
	t.Helper()
	p := core.NewParams(len(letters))
	p.Initialize(rand.New(rand.NewPCG(seed, 2)))
	b, err := disk.Encode(p, meta, disk.F16)
	require.NoError(t, err)
	return b
}

// testService has a network for colours, the default, and one for grey that stops after two looks.
func testService(t *testing.T) *service {
	t.Helper()
	grey := checkpoint.Meta{Gray: true, Labels: letters}
	disk.Fast{Lead: 1e-6}.Note(&grey)
	s, err := newService(maps.All(map[string][]byte{
		"mnist":   file(t, 1, grey),
		"cifar10": file(t, 2, checkpoint.Meta{Labels: letters}),
	}))
	require.NoError(t, err)
	return s
}

func pictureOf(width, height int) *image.NRGBA {
	m := image.NewNRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		m.SetNRGBA(i%width, i/width, color.NRGBA{uint8(i), uint8(i / width), uint8(i / 7), 255})
	}
	return m
}

func encoded(t *testing.T, m image.Image, kind string) []byte {
	t.Helper()
	var b bytes.Buffer
	switch kind {
	case typePNG:
		require.NoError(t, png.Encode(&b, m))
	case typeJPEG:
		require.NoError(t, jpeg.Encode(&b, m, nil))
	case typeRaw:
		b.Write(m.(*image.NRGBA).Pix)
	}
	return b.Bytes()
}

// api asks a service as clients do, and holds every answer against the description.
type api struct {
	t       *testing.T
	service *service
	router  routers.Router
	seen    map[string]bool // METHOD PATH STATUS
}

func newAPI(t *testing.T) *api {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	require.NoError(t, err)
	router, err := legacy.NewRouter(doc)
	require.NoError(t, err, "the description is not valid")
	return &api{t, testService(t), router, map[string]bool{}}
}

func (a *api) ask(method, address, contentType string, body io.Reader) *httptest.ResponseRecorder {
	a.t.Helper()
	r := httptest.NewRequest(method, address, body)
	if contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	w := httptest.NewRecorder()
	a.service.ServeHTTP(w, r)
	assert.Equal(a.t, "*", w.Header().Get("Access-Control-Allow-Origin"))
	assert.Equal(a.t, "Retry-After", w.Header().Get("Access-Control-Expose-Headers"))
	assert.Equal(a.t, "nosniff", w.Header().Get("X-Content-Type-Options"))
	route, _, err := a.router.FindRoute(r)
	if err != nil {
		return w // not an operation of the API
	}
	a.seen[method+" "+route.Path+" "+strconv.Itoa(w.Code)] = true
	err = openapi3filter.ValidateResponse(a.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, Route: route},
		Status:                 w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())),
		Options: &openapi3filter.Options{IncludeResponseStatus: true},
	})
	assert.NoError(a.t, err, "%s %s does not answer as it is described", method, address)
	return w
}

func (a *api) classify(query, kind string, body []byte) (c classification) {
	a.t.Helper()
	w := a.ask("POST", "/api/classify"+query, kind, bytes.NewReader(body))
	require.Equal(a.t, 200, w.Code, w.Body.String())
	decoder := json.NewDecoder(w.Body)
	decoder.DisallowUnknownFields()
	require.NoError(a.t, decoder.Decode(&c))
	return c
}

// Whatever a picture comes as, the answer is the classifier's.
func TestClassify(t *testing.T) {
	a := newAPI(t)
	m := pictureOf(pixels.Size, pixels.Size)
	for _, name := range []string{"cifar10", "mnist"} {
		net := a.service.model(name)
		prepared, err := pixels.FromRGBA(m.Pix, pixels.Size, pixels.Size, net.Gray)
		require.NoError(t, err)
		input := make([]float32, core.ImageLen)
		pixels.ToFloat(input, prepared)
		want, ok := answer.New(net.classifier.Share().Classify(input, core.Options{}), letters, 5)
		require.True(t, ok)

		for _, kind := range []string{typeRaw, typePNG, typeJPEG} {
			got := a.classify("?model="+name, kind, encoded(t, m, kind))
			assert.Equal(t, name, got.Model)
			assert.Equal(t, net.SHA256, got.SHA256)
			assert.Equal(t, core.Steps, got.GlimpsesUsed)
			if kind == typeJPEG { // which loses something
				assert.InDelta(t, want.Probability, got.Probability, 0.05)
				continue
			}
			assert.Equal(t, want, got.Answer, kind)
		}
	}
	small := a.classify("", typePNG, encoded(t, pictureOf(40, 30), typePNG))
	assert.Equal(t, "cifar10", small.Model, "the default")
	again := a.classify("", typePNG+"; charset=binary", encoded(t, pictureOf(40, 30), typePNG))
	assert.Equal(t, small, again, "the same picture, the same answer")
	mistaken := a.classify("", typeJPEG, encoded(t, pictureOf(40, 30), typePNG))
	assert.Equal(t, small, mistaken, "a picture says itself of which kind it is")
}

func TestWishes(t *testing.T) {
	a := newAPI(t)
	raw := encoded(t, pictureOf(pixels.Size, pixels.Size), typeRaw)
	assert.Len(t, a.classify("?top=2", typeRaw, raw).Top, 2)
	assert.Len(t, a.classify("?top=1000", typeRaw, raw).Top, len(letters))
	assert.Equal(t, 1, a.classify("?model=mnist&fast=1", typeRaw, raw).GlimpsesUsed, "as its weights say")
	assert.Equal(t, core.Steps, a.classify("?model=mnist&fast=0", typeRaw, raw).GlimpsesUsed)

	once := a.classify("", typeRaw, raw)
	mean := a.classify("?samples=3", typeRaw, raw)
	assert.NotEqual(t, once.Probability, mean.Probability)
	assert.Equal(t, mean, a.classify("?samples=3", typeRaw, raw), "the draws are always the same")
}

func TestListsAndHealth(t *testing.T) {
	a := newAPI(t)
	w := a.ask("GET", "/api/models", "", nil)
	require.Equal(t, 200, w.Code)
	var list struct {
		Default string
		Models  []model
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &list))
	require.Len(t, list.Models, 2)
	assert.Equal(t, "cifar10", list.Default)
	assert.Equal(t, letters, list.Models[1].Labels)
	assert.True(t, list.Models[1].Gray)
	assert.Equal(t, 200, a.ask("GET", "/api/health", "", nil).Code)
	assert.JSONEq(t, string(openAPI), a.ask("GET", "/api/openapi.json", "", nil).Body.String())

	w = a.ask("OPTIONS", "/api/classify", "", nil)
	assert.Equal(t, http.StatusNoContent, w.Code)
	assert.Contains(t, w.Header().Get("Access-Control-Allow-Methods"), "POST")
	assert.Equal(t, "Content-Type", w.Header().Get("Access-Control-Allow-Headers"))
	assert.Equal(t, 200, a.ask("HEAD", "/api/health", "", nil).Code)
}

// Bad input costs the right status and one sentence, and the service goes on.
func TestRefusals(t *testing.T) {
	a := newAPI(t)
	good := encoded(t, pictureOf(40, 30), typePNG)
	large := bytes.Repeat([]byte{0}, maxBody+1)
	wide := func(kind string) []byte { return encoded(t, image.NewGray(image.Rect(0, 0, 2000, 1501)), kind) }
	progressive := wide(typeJPEG)
	progressive[bytes.Index(progressive, []byte{0xff, 0xc0})+1] = 0xc2
	const classify = "/api/classify"
	for _, tc := range []struct {
		why, method, address, kind string
		body                       []byte
		status                     int
		says                       string
	}{
		{"unknown address", "GET", "/api/nothing", "", nil, 404, "/api/openapi.json"},
		{"wrong method", "GET", classify, "", nil, 405, "POST"},
		{"wrong method", "DELETE", "/api/models", "", nil, 405, "GET"},
		{"no type", "POST", classify, "", good, 415, "image/png"},
		{"wrong type", "POST", classify, "image/gif", good, 415, "image/png"},
		{"unreadable type", "POST", classify, "image/png;;=", good, 415, "image/png"},
		{"empty", "POST", classify, typePNG, nil, 400, "empty"},
		{"empty RGBA", "POST", classify, typeRaw, nil, 400, "empty"},
		{"RGBA too short", "POST", classify, typeRaw, make([]byte, rawLen-1), 422, "65536 bytes"},
		{"RGBA too long", "POST", classify, typeRaw, make([]byte, rawLen+1), 422, "65537"},
		{"truncated PNG", "POST", classify, typePNG, good[:len(good)/2], 422, "copy it again"},
		{"truncated JPEG", "POST", classify, typeJPEG, encoded(t, pictureOf(40, 30), typeJPEG)[:500], 422, "ends in the middle"},
		{"no picture", "POST", classify, typeJPEG, []byte("hello"), 422, "not a picture"},
		{"too large", "POST", classify, typePNG, large, 413, "8 MiB"},
		{"too many pixels", "POST", classify, typePNG, wide(typePNG), 422, "2000x1501 pixels, more than 3 million"},
		{"too many pixels of JPEG", "POST", classify, typeJPEG, wide(typeJPEG), 422, "more than 3 million"},
		{"too many pixels in scans", "POST", classify, typeJPEG, progressive, 422, "progressive JPEG, more than 1.5 million"},
		{"unknown model", "POST", classify + "?model=letters", typePNG, good, 400, "cifar10, mnist"},
		{"unknown wish", "POST", classify + "?modle=mnist", typePNG, good, 400, "nothing else"},
		{"twice", "POST", classify + "?top=1&top=2", typePNG, good, 400, "twice"},
		{"no number", "POST", classify + "?top=many", typePNG, good, 400, "1 to 1000"},
		{"none at all", "POST", classify + "?top=0", typePNG, good, 400, "1 to 1000"},
		{"too many samples", "POST", classify + "?samples=33", typePNG, good, 400, "1 to 32"},
		{"neither yes nor no", "POST", classify + "?fast=maybe", typePNG, good, 400, "0 or 1"},
		{"fast and samples", "POST", classify + "?fast=1&samples=2", typePNG, good, 400, "leave fast out"},
		{"unreadable query", "POST", classify + "?top=%zz", typePNG, good, 400, "query"},
	} {
		w := a.ask(tc.method, tc.address, tc.kind, bytes.NewReader(tc.body))
		assert.Equal(t, tc.status, w.Code, tc.why)
		assert.Equal(t, "application/json", w.Header().Get("Content-Type"), tc.why)
		said := map[string]string{}
		require.NoError(t, json.Unmarshal(w.Body.Bytes(), &said), tc.why)
		require.Len(t, said, 1, tc.why)
		assert.Contains(t, said["error"], tc.says, tc.why)
		assert.Regexp(t, `^[A-Z/].*\.$`, said["error"], "a sentence")
		if tc.status == 405 {
			assert.Contains(t, w.Header().Get("Allow"), tc.says, tc.why)
		}
	}
	broken := io.MultiReader(bytes.NewReader(good[:10]), iotest.ErrReader(io.ErrUnexpectedEOF))
	w := a.ask("POST", classify, typePNG, broken)
	assert.Equal(t, 400, w.Code)
	assert.Contains(t, w.Body.String(), "broke off")
	a.classify("", typePNG, good)

	// Every status that the description promises was seen, but for those that only web/worker gives.
	a.service.models = a.service.models[:1]
	spoil(a.service)
	assert.Equal(t, 500, a.ask("POST", classify, typePNG, bytes.NewReader(good)).Code, "an answer that is no number")
	elsewhere := []string{"POST /api/classify 408", "POST /api/classify 429"}
	a.ask("GET", "/api/models", "", nil)
	a.ask("GET", "/api/health", "", nil)
	a.ask("GET", "/api/openapi.json", "", nil)
	for path, item := range a.doc().Paths.Map() {
		for method, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				if promised := method + " " + path + " " + status; !slices.Contains(elsewhere, promised) {
					assert.True(t, a.seen[promised], "%s is described and never happened", promised)
				}
			}
		}
	}
}

// A query that is wrong in several ways gets one sentence, always the same.
func TestSeveralMistakes(t *testing.T) {
	a := newAPI(t)
	for _, tc := range []struct{ query, says string }{
		{"samples=99&fast=maybe&top=0&top=1&model=letters&size=2&size=3", "nothing else"},
		{"samples=99&fast=maybe&top=0&top=1&model=letters", "no model of this name"},
		{"samples=99&fast=maybe&top=0&top=1", "top twice"},
		{"samples=99&fast=maybe", "query's fast"},
	} {
		for range 20 { // a map would give its keys in many orders
			_, err := a.service.wish(tc.query)
			require.ErrorContains(t, err, tc.says)
		}
	}
}

func (a *api) doc() *openapi3.T {
	doc, err := openapi3.NewLoader().LoadFromData(openAPI)
	require.NoError(a.t, err)
	return doc
}

// spoil makes the first network one whose numbers overflow.
func spoil(s *service) {
	p := core.NewParams(len(letters))
	for _, spec := range p.Specs {
		if spec.Kind.Trained() {
			for i := range p.Tensor(spec.Name) {
				p.Tensor(spec.Name)[i] = math.MaxFloat32
			}
		}
	}
	s.models[0].classifier = core.NewClassifier(p)
}

// A panic is answered and said nothing of; the service goes on.
func TestPanic(t *testing.T) {
	a := newAPI(t)
	working := a.service.decodeJPEG
	a.service.decodeJPEG = func([]byte, int, int) ([]uint8, bool) { panic("inside") }
	file := encoded(t, pictureOf(40, 30), typeJPEG)
	w := a.ask("POST", "/api/classify", typeJPEG, bytes.NewReader(file))
	assert.Equal(t, 500, w.Code)
	assert.NotContains(t, w.Body.String(), "inside")
	a.service.decodeJPEG = working
	a.classify("", typeJPEG, file)
}

// Several looks are as wide as training ended, as on the command line.
func TestTaughtNoise(t *testing.T) {
	for _, recipe := range []string{"", "gdram", "reference", "another's", "gdram-scan", "gdram-random"} {
		looks, want := train.Taught(recipe)
		got, err := taughtNoise(recipe)
		if looks != train.Policy {
			assert.ErrorContains(t, err, recipe)
			continue
		}
		assert.NoError(t, err, recipe)
		assert.Equal(t, want, got, recipe)
	}
	s, err := newService(maps.All(map[string][]byte{"x": file(t, 1, checkpoint.Meta{Labels: letters, Extra: map[string]string{train.KeyRecipe: "gdram"}})}))
	require.NoError(t, err)
	assert.EqualValues(t, float32(policy.TaughtNoise), s.models[0].noise)
}

func TestNewServiceRefuses(t *testing.T) {
	scan := checkpoint.Meta{Labels: letters, Extra: map[string]string{train.KeyRecipe: "gdram-scan"}}
	bad := checkpoint.Meta{Labels: letters, Extra: map[string]string{checkpoint.KeyFast: "soon"}}
	for _, tc := range []struct {
		files map[string][]byte
		want  string
	}{
		{nil, "no weights"},
		{map[string][]byte{"x": []byte("short")}, "the weights for x"},
		{map[string][]byte{"x": file(t, 1, checkpoint.Meta{})}, "do not name their classes"},
		{map[string][]byte{"x": file(t, 1, bad)}, "the weights for x"},
		{map[string][]byte{"x": file(t, 1, scan)}, "the weights for x: they learnt with the recipe gdram-scan, which has no policy"},
	} {
		_, err := newService(maps.All(tc.files))
		assert.ErrorContains(t, err, tc.want)
	}
}
