// Recorded bytes into words: parameters, and output in one piece and in two. The first octet says
// where it is cut; both ways must show the same.

#include <cstdint>
#include <cstdlib>
#include <string>

#include "protocols/postgres/transcript.h"

using namespace sallyport;

namespace {

class CountingViewer final : public TranscriptViewer {
public:
    void columns(std::span<const ShownColumn> columns) override
    {
        for (const ShownColumn& column : columns)
            note(column.label);
        note("T");
    }
    void row(std::span<const ShownValue> values) override
    {
        for (const ShownValue& value : values)
            note(value.value_or("null"));
        note("D");
    }
    void completed(std::string_view summary) override { note(summary); }
    void message(const ShownMessage& message) override { note(message.text); }
    void stream(Bytes bytes) override { note(text_of(bytes)); }
    void aside(std::string_view text) override { note(text); }

    std::string seen;

private:
    void note(std::string_view text)
    {
        seen += text;
        seen += '\n';
    }
};

std::string shown(std::initializer_list<Bytes> pieces)
{
    const auto transcript = postgres::transcribe();
    CountingViewer viewer;
    for (const Bytes piece : pieces)
        transcript->shown(1, piece, viewer);
    transcript->ended(1, viewer);
    return viewer.seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    if (size == 0)
        return 0;
    const Bytes bytes = std::as_bytes(std::span(data, size)).subspan(1);
    const std::size_t cut = bytes.size() * data[0] / 256;
    const std::string whole = shown({bytes});
    if (whole != shown({bytes.first(cut), bytes.subspan(cut)}))
        std::abort();
    // A few octets become some hundred characters at most.
    if (whole.size() > 1024 + bytes.size() * 256)
        std::abort();
    const auto parameters = postgres::transcribe()->parameters(bytes);
    if (parameters.size() > bytes.size() / 10)
        std::abort();
    return 0;
}
