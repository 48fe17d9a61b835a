// Proof that records are safe enough for the next step. Only a Session makes them, and the calls
// that write to a target or a client take them: the wrong order does not compile.

#pragma once

namespace sallyport {

// Every command begun so far may go to the target.
class ForwardPermit {
    friend class Session;
    ForwardPermit() = default;

public:
    ForwardPermit(const ForwardPermit&) = default;
};

// Everything shown() so far may go to the client.
class ShowPermit {
    friend class Session;
    ShowPermit() = default;

public:
    ShowPermit(const ShowPermit&) = default;
};

}  // namespace sallyport
