package pinning

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
)

// maxBody bounds a request: 20 origins and 1,000 pairs of ordinary length.
const maxBody = 256 << 10

// page is what a list answers with.
type page struct {
	Count   int     `json:"count"`
	Results []Entry `json:"results"`
}

// fault is the API's form of an error.
type fault struct {
	Error struct {
		Reason  string `json:"reason"`
		Details string `json:"details"`
	} `json:"error"`
}

// Handler serves the API under /pins. The caller has checked the token, and strips what stands before.
func (s *Service) Handler() http.Handler {
	m := http.NewServeMux()
	m.HandleFunc("GET /pins", func(w http.ResponseWriter, r *http.Request) {
		f, err := ParseFilter(r.URL.Query())
		if err != nil {
			Fail(w, 0, err)
			return
		}
		out, n, err := s.List(r.Context(), f)
		answer(w, http.StatusOK, page{n, append([]Entry{}, out...)}, err)
	})
	m.HandleFunc("POST /pins", func(w http.ResponseWriter, r *http.Request) {
		p, err := read(r)
		if err != nil {
			Fail(w, 0, err)
			return
		}
		e, err := s.Add(r.Context(), p)
		answer(w, http.StatusAccepted, e, err)
	})
	m.HandleFunc("GET /pins/{id}", func(w http.ResponseWriter, r *http.Request) {
		e, err := s.Get(r.Context(), r.PathValue("id"))
		answer(w, http.StatusOK, e, err)
	})
	m.HandleFunc("POST /pins/{id}", func(w http.ResponseWriter, r *http.Request) {
		p, err := read(r)
		if err != nil {
			Fail(w, 0, err)
			return
		}
		e, err := s.Replace(r.Context(), r.PathValue("id"), p)
		answer(w, http.StatusAccepted, e, err)
	})
	m.HandleFunc("DELETE /pins/{id}", func(w http.ResponseWriter, r *http.Request) {
		if err := s.Delete(r.Context(), r.PathValue("id")); err != nil {
			Fail(w, 0, err)
			return
		}
		w.WriteHeader(http.StatusAccepted)
	})
	return m
}

func read(r *http.Request) (p Pin, err error) {
	if err := json.NewDecoder(http.MaxBytesReader(nil, r.Body, maxBody)).Decode(&p); err != nil {
		return p, fmt.Errorf("%w: the body is no pin: %w", ErrRequest, err)
	}
	return p, nil
}

func answer(w http.ResponseWriter, status int, v any, err error) {
	if err != nil {
		Fail(w, 0, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// Fail writes an error in the API's form. Status 0 is that of the error's class.
func Fail(w http.ResponseWriter, status int, err error) {
	var f fault
	switch {
	case status != 0:
	case errors.Is(err, ErrRequest):
		status = http.StatusBadRequest
	case errors.Is(err, ErrUnknown):
		status = http.StatusNotFound
	case errors.Is(err, ErrFull):
		status = http.StatusConflict
	default:
		status = http.StatusInternalServerError
	}
	switch status {
	case http.StatusBadRequest:
		f.Error.Reason = "BAD_REQUEST"
	case http.StatusUnauthorized, http.StatusForbidden:
		f.Error.Reason = "UNAUTHORIZED"
	case http.StatusNotFound:
		f.Error.Reason = "NOT_FOUND"
	case http.StatusConflict:
		f.Error.Reason = "FULL"
	default:
		f.Error.Reason = "INTERNAL_SERVER_ERROR"
	}
	f.Error.Details = err.Error()
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(f)
}
