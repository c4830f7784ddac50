//! Taipan in the browser.
