// Which running session a CancelRequest means: keys of our own making, never the target's.

#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "protocols/postgres/startup.h"

namespace sallyport::postgres {

// From any thread. Keys are random (OpenSSL's generator) and unique while they are held.
class CancelKeys {
public:
    // Called on the thread that read the CancelRequest; must not block. Safe to call until the
    // key's Held is destroyed.
    using Action = std::function<void()>;

    // Takes the key back when it goes.
    class Held {
    public:
        Held(CancelKeys& keys, std::uint32_t process, std::string secret);
        Held(const Held&) = delete;
        Held& operator=(const Held&) = delete;
        ~Held();

        std::uint32_t process() const { return process_; }
        const std::string& secret() const { return secret_; }  // 4 bytes: protocol 3.0

    private:
        CancelKeys& keys_;
        std::uint32_t process_;
        std::string secret_;
    };

    // The keys outlive what is returned.
    std::unique_ptr<Held> hold(Action action);

    // Runs the action of the session that has exactly this key, compared in constant time. False
    // where none has: the caller logs it, and tells the client nothing.
    bool cancel(const CancelRequest& request);

private:
    friend class Held;
    struct Entry {
        std::string secret;
        Action action;
    };

    std::mutex mutex_;
    std::map<std::uint32_t, Entry> entries_;
};

}  // namespace sallyport::postgres
