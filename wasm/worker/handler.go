package main

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"gdram/core/answer"
	"gdram/core/kernel"
	"gdram/core/pixels"
	"gdram/core/pixels/picture"
)

// Bounds of what is taken. web/worker/src/body.js has the first one too, to stop reading there.
const (
	maxBody    = 8 << 20
	maxPixels  = 3_000_000
	maxSamples = 32
)

const defaultModel = "cifar10"

// Types of pictures.
const (
	typePNG  = "image/png"
	typeJPEG = "image/jpeg"
	typeRaw  = "application/octet-stream"
)

//go:embed openapi.json
var openAPI []byte

// routes are the API: what answers at a path, and to which method.
var routes = map[string]struct {
	method  string
	respond func(s *service, w http.ResponseWriter, r *http.Request) error
}{
	"/api/classify":     {http.MethodPost, (*service).classify},
	"/api/models":       {http.MethodGet, (*service).listModels},
	"/api/health":       {http.MethodGet, (*service).health},
	"/api/openapi.json": {http.MethodGet, (*service).describe},
}

// refusal is an error that the request is to blame for: a status and a sentence.
type refusal struct {
	status   int
	sentence string
}

func (r refusal) Error() string { return r.sentence }

func refuse(status int, format string, values ...any) error {
	return refusal{status, fmt.Sprintf(format, values...)}
}

// ServeHTTP answers one request. Whatever is wrong with it costs a status and one sentence as JSON, which tell
// nothing of the inside.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer func() {
		if recover() != nil {
			fail(w, refuse(http.StatusInternalServerError, "The network failed on this request; try it again."))
		}
	}()
	header := w.Header()
	header.Set("Access-Control-Allow-Origin", "*")
	header.Set("Access-Control-Expose-Headers", "Retry-After") // which web/worker sends; scripts of other sites see it only so
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cache-Control", "no-store")

	route, known := routes[r.URL.Path]
	if !known {
		fail(w, refuse(http.StatusNotFound, "There is nothing at this address; /api/openapi.json describes what there is."))
		return
	}
	methods := route.method + ", OPTIONS"
	if route.method == http.MethodGet {
		methods = "GET, HEAD, OPTIONS"
	}
	switch {
	case r.Method == http.MethodOptions:
		header.Set("Allow", methods)
		header.Set("Access-Control-Allow-Methods", methods)
		header.Set("Access-Control-Allow-Headers", "Content-Type")
		header.Set("Access-Control-Max-Age", "86400")
		w.WriteHeader(http.StatusNoContent)
		return
	case r.Method != route.method && !(r.Method == http.MethodHead && route.method == http.MethodGet):
		header.Set("Allow", methods)
		fail(w, refuse(http.StatusMethodNotAllowed, "%s is asked with %s, not with this method.", r.URL.Path, route.method))
		return
	}
	if err := route.respond(s, w, r); err != nil {
		fail(w, err)
	}
}

// fail answers with an error: a refusal as it says, anything else as the service's own fault.
func fail(w http.ResponseWriter, err error) {
	var r refusal
	if !errors.As(err, &r) {
		r = refusal{http.StatusInternalServerError, "The network's answer is not a number; tell whoever runs this service."}
	}
	write(w, r.status, map[string]string{"error": r.sentence})
}

func write(w http.ResponseWriter, status int, content any) error {
	b, err := json.Marshal(content)
	if err != nil {
		panic(err) // all contents are our own types, of finite numbers
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(append(b, '\n')) // whoever hung up will not hear that either
	return nil
}

func (s *service) health(w http.ResponseWriter, _ *http.Request) error {
	return write(w, http.StatusOK, struct {
		Status  string `json:"status"`
		Kernels string `json:"kernels"`
	}{"ok", kernel.Instructions()})
}

func (s *service) listModels(w http.ResponseWriter, _ *http.Request) error {
	return write(w, http.StatusOK, struct {
		Default string   `json:"default"`
		Models  []*model `json:"models"`
	}{s.defaultModel().Name, s.models})
}

func (s *service) describe(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/json")
	w.Write(openAPI)
	return nil
}

func (s *service) defaultModel() *model {
	if m := s.model(defaultModel); m != nil {
		return m
	}
	return s.models[0]
}

// classification is the answer to a picture.
type classification struct {
	Model  string `json:"model"`
	SHA256 string `json:"sha256"` // of the weights that answered
	answer.Answer
	GlimpsesUsed int `json:"glimpses_used"`
}

func (s *service) classify(w http.ResponseWriter, r *http.Request) error {
	how, err := s.wish(r.URL.RawQuery)
	if err != nil {
		return err
	}
	kind, err := pictureType(r.Header.Get("Content-Type"))
	if err != nil {
		return err
	}
	body, err := readBody(w, r)
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return refuse(http.StatusRequestEntityTooLarge, "The picture has more than %d MiB; send it smaller.", maxBody>>20)
	} else if err != nil {
		return refuse(http.StatusBadRequest, "The picture broke off; send it again.")
	}
	if len(body) == 0 {
		return refuse(http.StatusBadRequest, "The body is empty; send a picture in it, PNG or JPEG, or %d bytes of RGBA.", rawLen)
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	prepared, err := s.prepare(body, kind, how.model.Gray)
	if err != nil {
		return err
	}
	found, ok := s.look(how.model, prepared, how)
	if !ok {
		return errors.New("not finite")
	}
	return write(w, http.StatusOK, classification{how.model.Name, how.model.SHA256, found, len(found.Glimpses)})
}

// whole is a body that lies in memory already, so that large ones are not there twice.
type whole struct {
	io.Reader
	bytes []byte
}

func (whole) Close() error { return nil }

func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if b, ok := r.Body.(whole); ok && len(b.bytes) <= maxBody {
		return b.bytes, nil
	}
	var b bytes.Buffer
	b.Grow(int(min(max(r.ContentLength, 0), maxBody)) + bytes.MinRead) // in one piece, where its length is known
	_, err := b.ReadFrom(http.MaxBytesReader(w, r.Body, maxBody))
	return b.Bytes(), err
}

// wish is what the query of a classification asks for.
type wish struct {
	model   *model
	top     int
	fast    bool
	samples int // 0: look once, along the policy's mean
}

// wishes are the query's keys, in the order in which they are read: a query with two mistakes always gets the same sentence.
var wishes = []string{"model", "top", "fast", "samples"}

func (s *service) wish(query string) (how wish, err error) {
	how = wish{model: s.defaultModel(), top: 5}
	values, err := url.ParseQuery(query)
	if err != nil {
		return how, refuse(http.StatusBadRequest, "The query cannot be read; want something like ?model=%s&top=5.", how.model.Name)
	}
	for key := range values {
		if !slices.Contains(wishes, key) {
			return how, refuse(http.StatusBadRequest, "The query may have model, top, fast and samples, and nothing else.")
		}
	}
	for _, key := range wishes {
		given, ok := values[key]
		if !ok {
			continue
		}
		value := given[0]
		if len(given) > 1 {
			return how, refuse(http.StatusBadRequest, "The query gives %s twice; give it once.", key)
		}
		number, notNumber := strconv.Atoi(value)
		switch key {
		case "model":
			if how.model = s.model(value); how.model == nil {
				return how, refuse(http.StatusBadRequest, "There is no model of this name; the models are %s.", strings.Join(s.names(), ", "))
			}
		case "top":
			if notNumber != nil || number < 1 || number > 1000 {
				return how, refuse(http.StatusBadRequest, "The query's top is how many classes to tell; want a number from 1 to 1000.")
			}
			how.top = number
		case "fast":
			if !slices.Contains([]string{"0", "1", "false", "true"}, value) {
				return how, refuse(http.StatusBadRequest, "The query's fast says whether to stop early; want 0 or 1.")
			}
			how.fast = value == "1" || value == "true"
		case "samples":
			if notNumber != nil || number < 1 || number > maxSamples {
				return how, refuse(http.StatusBadRequest, "The query's samples is how many looks to average; want a number from 1 to %d.", maxSamples)
			}
			how.samples = number
		}
	}
	if how.fast && how.samples > 0 {
		return how, refuse(http.StatusBadRequest, "The query's samples averages full looks; leave fast out.")
	}
	return how, nil
}

func (s *service) names() (names []string) {
	for _, m := range s.models {
		names = append(names, m.Name)
	}
	return names
}

func pictureType(contentType string) (string, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil || !slices.Contains([]string{typePNG, typeJPEG, typeRaw}, kind) {
		return "", refuse(http.StatusUnsupportedMediaType, "The Content-Type must be %s, %s, or %s for RGBA.", typePNG, typeJPEG, typeRaw)
	}
	return kind, nil
}

const rawLen = pixels.Size * pixels.Size * 4

// prepare makes of a body what the network sees.
func (s *service) prepare(body []byte, kind string, gray bool) ([]uint8, error) {
	p := picture.Picture{RGBA: body, Width: pixels.Size, Height: pixels.Size}
	if kind == typeRaw {
		if len(body) != rawLen {
			return nil, refuse(http.StatusUnprocessableEntity, "RGBA is %d bytes, [%d][%[2]d][4]; these are %d.", rawLen, pixels.Size, len(body))
		}
	} else {
		var err error
		p, err = picture.Decode(body, picture.Options{MaxPixels: maxPixels, JPEG: s.decodeJPEG})
		if errors.Is(err, picture.ErrKind) {
			return nil, refuse(http.StatusUnprocessableEntity, "The picture %s; want PNG or JPEG.", err)
		} else if err != nil {
			return nil, refuse(http.StatusUnprocessableEntity, "The picture %s.", err)
		}
	}
	prepared, err := pixels.FromRGBA(p.RGBA, p.Width, p.Height, gray)
	if err != nil {
		return nil, refuse(http.StatusUnprocessableEntity, "The picture cannot be used: %s.", err)
	}
	return prepared, nil
}
