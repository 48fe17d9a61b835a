#include "protocols/postgres/cancel_keys.h"

#include <array>
#include <span>

#include "gateway/digest/digest.h"
#include "protocols/postgres/frame.h"

namespace sallyport::postgres {

namespace {

constexpr std::size_t secret_size = 4;  // protocol 3.0 has room for no more

}  // namespace

CancelKeys::Held::Held(CancelKeys& keys, std::uint32_t process, std::string secret)
    : keys_(keys), process_(process), secret_(std::move(secret))
{
}

CancelKeys::Held::~Held()
{
    // Waits for an action that runs at this moment.
    const std::lock_guard lock(keys_.mutex_);
    keys_.entries_.erase(process_);
}

std::unique_ptr<CancelKeys::Held> CancelKeys::hold(Action action)
{
    std::string secret(secret_size, '\0');
    fill_random(std::as_writable_bytes(std::span(secret)));
    const std::lock_guard lock(mutex_);
    for (;;) {
        std::array<std::byte, 4> random{};
        fill_random(random);
        // Clients show it as a process id: positive, as drivers keep it in a signed integer.
        const std::uint32_t process = read_u32(random) & 0x7fffffffU;
        if (process == 0 || entries_.contains(process))
            continue;
        auto held = std::make_unique<Held>(*this, process, secret);
        entries_.emplace(process, Entry{std::move(secret), std::move(action)});
        return held;
    }
}

bool CancelKeys::cancel(const CancelRequest& request)
{
    // The action runs under the lock: its session cannot give the key back meanwhile.
    const std::lock_guard lock(mutex_);
    const auto found = entries_.find(request.process);
    if (found == entries_.end() || found->second.secret.size() != request.secret.size() ||
        !equal_in_constant_time(bytes_of(found->second.secret), bytes_of(request.secret)))
        return false;
    found->second.action();
    return true;
}

}  // namespace sallyport::postgres
