// What one piece of work costs when it is done again and again.

#pragma once

#include <ctime>

namespace sallyport {

// Nanoseconds of processor time, over half a second.
template <typename Work>
double nanoseconds_each(Work work)
{
    for (int i = 0; i < 100; ++i)
        (void)work();
    long done = 0;
    const std::clock_t begin = std::clock();
    std::clock_t used = 0;
    while (used < CLOCKS_PER_SEC / 2) {
        for (int i = 0; i < 1000; ++i)
            (void)work();
        done += 1000;
        used = std::clock() - begin;
    }
    return 1e9 * static_cast<double>(used) / CLOCKS_PER_SEC / static_cast<double>(done);
}

}  // namespace sallyport
