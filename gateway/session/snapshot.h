// The configuration in force, as the engine needs it: immutable, replaced as a whole on reload.

#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "gateway/identity/user_directory.h"
#include "gateway/policy/policy.h"
#include "gateway/targets/target.h"

namespace sallyport {

struct Snapshot {
    std::shared_ptr<const UserDirectory> users;
    std::map<std::string, std::shared_ptr<const Connection>, std::less<>> connections;
    std::shared_ptr<const PolicySet> policies;
    std::string hash;  // of the whole configuration file as read, "sha256:..."
};

// Where the current snapshot is found; from any thread.
class SnapshotSource {
public:
    explicit SnapshotSource(std::shared_ptr<const Snapshot> first) : current_(std::move(first)) {}

    std::shared_ptr<const Snapshot> current() const
    {
        const std::lock_guard lock(mutex_);
        return current_;
    }

    void replace(std::shared_ptr<const Snapshot> next)
    {
        const std::lock_guard lock(mutex_);
        current_ = std::move(next);
    }

private:
    mutable std::mutex mutex_;
    std::shared_ptr<const Snapshot> current_;
};

}  // namespace sallyport
