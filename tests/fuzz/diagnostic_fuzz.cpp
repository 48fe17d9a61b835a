// Error and notice messages of a hostile target: what can be read is written again as it was.

#include <cstdint>
#include <cstdlib>

#include "protocols/postgres/frame.h"
#include "protocols/postgres/message.h"

using namespace sallyport;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const Bytes body = std::as_bytes(std::span(data, size));
    auto diagnostic = postgres::read_diagnostic(body);
    if (!diagnostic)
        return 0;
    const std::string again = postgres::write_diagnostic('E', *diagnostic);
    if (std::string_view(again).substr(postgres::header_size) != text_of(body))
        std::abort();
    diagnostic->set('M', "masked");
    const std::string changed = postgres::write_diagnostic('N', *diagnostic);
    const auto read = postgres::read_diagnostic(
        bytes_of(std::string_view(changed).substr(postgres::header_size)));
    if (!read || read->field('M') != "masked")
        std::abort();
    for (const char each : postgres::printable(diagnostic->field('D'))) {
        if (static_cast<unsigned char>(each) < 0x20)
            std::abort();
    }
    return 0;
}
