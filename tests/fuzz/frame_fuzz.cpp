// The wire decoder on arbitrary bytes: cut whole or in two, it finds the same messages.

#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "protocols/postgres/frame.h"
#include "protocols/postgres/message.h"

using namespace sallyport;

namespace {

constexpr std::uint64_t limit = 1 << 20;

void require(bool holds)
{
    if (!holds)
        std::abort();
}

// The messages, and "!" where the stream is broken.
std::vector<std::string> frames_of(Bytes bytes, std::size_t cut)
{
    std::vector<std::string> found;
    std::size_t start = 0;
    for (const std::size_t end : {cut, bytes.size()}) {
        for (;;) {
            const Bytes unread = bytes.subspan(start, end - start);
            const auto frame = postgres::next_frame(unread, limit);
            if (!frame) {
                found.emplace_back("!");
                return found;
            }
            if (!*frame)
                break;
            require((*frame)->whole.size() == (*frame)->body.size() + postgres::header_size);
            require((*frame)->whole.data() == unread.data());
            require((*frame)->whole.size() <= limit);
            found.emplace_back(text_of((*frame)->whole));
            start += (*frame)->whole.size();
        }
    }
    return found;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const Bytes bytes = std::as_bytes(std::span(data, size));
    const std::vector<std::string> whole = frames_of(bytes, 0);
    require(frames_of(bytes, size / 2) == whole);
    require(frames_of(bytes, size < 7 ? size : 7) == whole);
    for (const std::string& frame : whole) {
        if (frame.size() < postgres::header_size)
            continue;
        postgres::BodyReader reader(bytes_of(frame).subspan(postgres::header_size));
        while (!reader.failed()) {
            const std::size_t before = reader.rest().size();
            (void)reader.text();
            (void)reader.bytes(reader.u16());
            require(reader.failed() || reader.rest().size() < before);
        }
    }
    return 0;
}
