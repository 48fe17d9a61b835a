// The erasable half of a frame: texts and payloads, committed to by the frame's leaf.
// Format: docs/audit-format.md, "Parts". One writer (PartWriter), one reader (read_part).

#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/digest/digest.h"
#include "gateway/vocabulary/bytes.h"
#include "gateway/vocabulary/result.h"

struct ZSTD_CCtx_s;

namespace sallyport {

// What of a person's data a part holds, and with that how long it is kept.
enum class PartClass : std::uint8_t {
    masked,    // commands, answers
    identity,  // who, from where
};

std::string_view name_of(PartClass part_class);

// What one event put into a part. A view of the part's bytes.
struct PartEntry {
    std::uint32_t number = 0;  // of the event
    std::string_view text;
    std::string_view payload;
};

class PartWriter {
public:
    void add(std::uint32_t number, std::string_view text, std::span<const Bytes> payload);

    bool empty() const { return bytes_.empty(); }
    std::size_t size() const { return bytes_.size(); }
    Bytes bytes() const { return bytes_of(bytes_); }
    void clear();

private:
    std::string bytes_;
};

// Fault::malformed where the bytes are not what PartWriter writes.
Result<std::vector<PartEntry>> read_part(Bytes part);

enum class PartCodec : std::uint8_t { raw = 0, zstd = 1 };

// A part as it lies in the store.
struct SealedPart {
    Sha256 commitment;  // HMAC-SHA-256(key = salt, part)
    std::array<std::byte, 32> salt;
    PartCodec codec = PartCodec::raw;
    std::uint32_t size = 0;  // of the part
    std::string data;        // the part, packed
};

// Packs and commits. Keeps a compressor; not for two threads at once.
class PartSealer {
public:
    PartSealer();
    SealedPart seal(Bytes part);

private:
    struct Free {
        void operator()(ZSTD_CCtx_s* compressor) const;
    };
    std::unique_ptr<ZSTD_CCtx_s, Free> compressor_;
};

// The part, unpacked. Fault::malformed where it cannot be unpacked or is not what was committed to.
Result<std::string> open_part(const SealedPart& sealed);

}  // namespace sallyport
