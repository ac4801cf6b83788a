// The one place that compiles Beast.
#include <boost/beast/src.hpp>
